// Every reason for which a client assertion is not taken, as data, and the one mapping to what the client
// is told.
import { OAuthError } from '../oauth-error.ts'
import { invalidClient } from './presented-credentials.ts'

/** Why an assertion was not taken. */
export type ClientAssertionRefusal =
  | { readonly reason: 'assertion_malformed'; readonly detail: string }
  | { readonly reason: 'assertion_algorithm_not_allowed'; readonly algorithms: readonly string[] }
  | { readonly reason: 'assertion_client_mismatch' }
  | { readonly reason: 'assertion_client_unknown' }
  | { readonly reason: 'assertion_agent_inactive' }
  | { readonly reason: 'assertion_key_unknown' }
  | { readonly reason: 'assertion_keys_unavailable'; readonly detail: string }
  | { readonly reason: 'assertion_signature_invalid' }
  | { readonly reason: 'assertion_audience_invalid'; readonly expected: string }
  | { readonly reason: 'assertion_expired' }
  | { readonly reason: 'assertion_life_too_long'; readonly maxLifeSeconds: number }
  | { readonly reason: 'assertion_not_yet_valid' }
  | { readonly reason: 'assertion_replayed' }
  | { readonly reason: 'replay_memory_unavailable'; readonly detail: string }

/** Seconds after which a client may come back when the replay memory cannot be asked. */
const RETRY_SECONDS = 1

/**
 * Decides what the client is told.
 *
 * > If the client assertion is not valid, the authorization server constructs an error response […] The
 * > value of the "error" parameter MUST be the "invalid_client" error code (RFC 7523 §3.2)
 */
export function toClientAssertionError(refusal: ClientAssertionRefusal): OAuthError {
  const { reason } = refusal
  switch (reason) {
    case 'assertion_malformed':
      return invalidClient(`client_assertion cannot be read: ${refusal.detail}`, reason)
    case 'assertion_algorithm_not_allowed':
      return invalidClient(
        `the alg of client_assertion must be one of: ${refusal.algorithms.join(', ')}`,
        reason,
      )
    case 'assertion_client_mismatch':
      return invalidClient(
        'iss and sub of client_assertion must both be the client id, and client_id the same where it is sent',
        reason,
      )
    // One answer. Attack prevented: finding out which clients there are, and which of them have keys.
    case 'assertion_client_unknown':
    case 'assertion_agent_inactive':
    case 'assertion_key_unknown':
    case 'assertion_keys_unavailable':
    case 'assertion_signature_invalid':
      return invalidClient(
        'the client is unknown or inactive, or its client_assertion is signed with none of its keys that can be had',
        reason,
      )
    case 'assertion_audience_invalid':
      return invalidClient(
        `the aud of client_assertion must be ${refusal.expected} and nothing else, not even the token endpoint`,
        reason,
      )
    case 'assertion_expired':
      return invalidClient('client_assertion has expired', reason)
    case 'assertion_life_too_long':
      return invalidClient(
        `the exp of client_assertion must not be more than ${String(refusal.maxLifeSeconds)} seconds ahead`,
        reason,
      )
    case 'assertion_not_yet_valid':
      return invalidClient(
        "the nbf or iat of client_assertion lies in the future: check the client's clock",
        reason,
      )
    case 'assertion_replayed':
      return invalidClient('client_assertion was used before: make a new one each time', reason)
    case 'replay_memory_unavailable':
      return new OAuthError({
        code: 'temporarily_unavailable',
        message: 'whether client_assertion was used before cannot be told now: try again shortly',
        status: 503,
        headers: { 'retry-after': String(RETRY_SECONDS) },
        reason,
      })
  }
}
