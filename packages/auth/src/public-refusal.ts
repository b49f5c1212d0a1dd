// The one mapping from a refusal to what the caller is told (RFC 6750 §3.1). Exhaustive: a new reason
// does not compile until it is mapped. `detail` of a refusal is for the operator's log and is never
// copied here unless it came from the caller's own credential header.
import { formatScope, type BearerErrorCode } from './protocol/index.ts'
import type { Refusal, RefusalReason } from './refusal.ts'
import { toPublicLimitRefusal } from './token-limit/public-limit-refusal.ts'
import { toPublicDpopRefusal } from './verify/dpop-proof-refusal.ts'

/** What the caller may read of a refusal. */
export type PublicRefusal = {
  readonly status: 400 | 401 | 403 | 408 | 429 | 503
  readonly reason: RefusalReason
  /** One sentence: what was wrong. */
  readonly message: string
  /** One sentence: what the caller can do about it. */
  readonly hint: string
  /** `error` of the challenge; `undefined` where RFC 6750 §3.1 wants none. */
  readonly bearerError: BearerErrorCode | undefined
  /** `error` of a DPoP challenge (RFC 9449 §7.1), which then takes the place of the Bearer one. */
  readonly dpopError?: 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce' | undefined
}

/** Decides what the caller is told about a refusal. */
export function toPublicRefusal(refusal: Refusal): PublicRefusal {
  const { reason } = refusal
  switch (reason) {
    case 'credentials_missing':
      // > If the request lacks any authentication information […] the resource server SHOULD NOT
      // > include an error code or other error information. (RFC 6750 §3.1)
      return {
        status: 401,
        reason,
        message: 'No credentials were sent',
        hint: 'Send an access token as "Authorization: Bearer …" or an API key as "X-API-Key". Credentials in the URL are never read.',
        bearerError: undefined,
      }
    case 'credentials_malformed':
      return {
        status: 401,
        reason,
        message: `The credentials cannot be read: ${refusal.detail}`,
        hint: 'Send exactly one "Authorization: Bearer <access token>" header.',
        bearerError: undefined,
      }
    case 'credentials_ambiguous':
      return {
        status: 400,
        reason,
        message: 'More than one credential was sent',
        hint: 'Send either an access token or an API key, not both.',
        bearerError: 'invalid_request',
      }
    case 'token_expired':
      return {
        ...invalidToken(reason, 'The access token expired'),
        hint: 'Ask the authorization server for a new access token and try again.',
      }
    case 'token_audience_invalid':
      return {
        ...invalidToken(reason, 'The access token is meant for another agent'),
        hint: `Ask the authorization server for a token with audience=${refusal.expected}.`,
      }
    case 'token_not_yet_valid':
      return {
        ...invalidToken(reason, 'The access token is not valid yet'),
        hint: "Check the caller's and the authorization server's clocks.",
      }
    case 'token_revoked':
      return {
        ...invalidToken(reason, 'The access token was revoked'),
        hint: 'Ask the authorization server for a new one. If it refuses, the agent was ended: ask its operator.',
      }
    case 'token_malformed':
      return invalidToken(reason, 'The access token is not a well-formed token')
    case 'token_signature_invalid':
      return invalidToken(reason, "The access token's signature cannot be verified")
    case 'token_type_invalid':
      return invalidToken(reason, 'The token is not an access token')
    case 'token_issuer_invalid':
      return invalidToken(reason, 'The access token is from another issuer')
    case 'token_binding_missing':
      return {
        ...dpopRefusal(reason, 'The access token is bound to a key, and came without proof of it'),
        dpopError: 'invalid_token',
      }
    case 'token_binding_required':
      return {
        status: 401,
        reason,
        message: 'This agent takes only access tokens that are bound to a key',
        hint: 'Ask the authorization server for one, with a DPoP proof, and send it with a proof.',
        bearerError: undefined,
        dpopError: 'invalid_token',
      }
    case 'token_binding_not_accepted':
      return {
        ...invalidToken(reason, 'This agent takes no access tokens that are bound to a key'),
        hint: 'Ask the authorization server for one that is not, without a DPoP header.',
      }
    case 'dpop_proof_invalid': {
      const { error, message } = toPublicDpopRefusal(refusal.refusal)
      const dpopError = error === 'invalid_token' ? 'invalid_token' : 'invalid_dpop_proof'
      return { ...dpopRefusal(reason, `Proof of the key is not good: ${message}`), dpopError }
    }
    case 'dpop_nonce_required':
      return {
        ...dpopRefusal(reason, 'The DPoP proof needs a recent nonce of this agent'),
        hint: 'Make a new proof with the nonce of the DPoP-Nonce header.',
        dpopError: 'use_dpop_nonce',
      }
    case 'api_key_malformed':
      return {
        ...invalidToken(reason, 'The API key is mistyped or cut short'),
        hint: 'Copy the whole key: "sk-agent-" and 49 letters and digits.',
      }
    case 'api_key_invalid':
      // Unknown, inactive and expired keys are told apart in the audit trail only: an answer that
      // tells them apart would confirm to a thief that a key was once real.
      return {
        ...invalidToken(reason, 'The API key is unknown, inactive, expired or not for this agent'),
        hint: 'Ask the operator for an active key whose agent may call this one.',
      }
    case 'api_key_not_accepted':
      return {
        ...invalidToken(reason, 'This agent does not accept API keys'),
        hint: 'Send an access token as "Authorization: Bearer …".',
      }
    case 'verifier_unavailable':
      return {
        status: 503,
        reason,
        message: 'The credentials cannot be verified right now',
        hint: 'The authorization server cannot be reached. Try again shortly with the same credentials.',
        bearerError: undefined,
      }
    case 'rate_limited':
      return {
        status: 429,
        reason,
        message: 'Too many calls',
        hint: `Try again in ${String(refusal.retryAfterSeconds)} s. The RateLimit header says how many calls are left.`,
        bearerError: undefined,
      }
    case 'too_many_calls':
      return {
        status: 429,
        reason,
        message: `No more than ${String(refusal.maxCalls)} calls may be under way at once`,
        hint: 'Wait for answers before you call again.',
        bearerError: undefined,
      }
    case 'too_many_streams':
      return {
        status: 429,
        reason,
        message: `No more than ${String(refusal.maxStreams)} streams may be open`,
        hint: 'End a subscription before you begin another one.',
        bearerError: undefined,
      }
    case 'caller_changed':
      return {
        status: 403,
        reason,
        message: `The new credential is of another caller: ${refusal.changed} differs`,
        hint: 'Open a connection of its own for each caller.',
        bearerError: undefined,
      }
    case 'deadline_exceeded':
      return {
        status: 408,
        reason,
        message: `The call was not done within the ${String(refusal.timeoutMs)} ms that it had`,
        hint: 'The call may have been carried out: repeat it with the same idempotency key.',
        bearerError: undefined,
      }
    case 'deadline_invalid':
      return {
        status: 400,
        reason,
        message: `The deadline cannot be read: ${refusal.detail}`,
        hint: 'Send what is left, like "deputy-timeout-ms: 1500", or leave it out.',
        bearerError: undefined,
      }
    case 'agent_draining':
      return {
        status: 503,
        reason,
        message: 'The agent is shutting down',
        hint: 'Subscribe again: a subscription with tracked events goes on after the last one.',
        bearerError: undefined,
      }
    case 'limit_not_supported':
    case 'limit_malformed':
    case 'limit_value_not_allowed':
    case 'calls_exhausted':
    case 'approval_required':
    case 'approval_mismatch':
    case 'approval_used':
    case 'approval_pending':
    case 'approval_denied':
    case 'limit_unavailable':
      return toPublicLimitRefusal(refusal)
    case 'scope_missing':
      return {
        status: 403,
        reason,
        message: `Missing required scope: ${formatScope(refusal.missingScopes)}`,
        hint: `Ask for a token with scope "${formatScope(refusal.requiredScopes)}". If the authorization server refuses it, an operator must allow it for this agent.`,
        bearerError: 'insufficient_scope',
      }
    case 'scope_missing_further_on': {
      const { agentId, calledAgentId = 'another agent', missingScopes } = refusal
      return {
        status: 403,
        reason,
        message: `${agentId} lacks ${formatScope(missingScopes)} at ${calledAgentId}, which this call needs`,
        hint: `Your credential is good here. An operator must allow ${agentId} the scope, or, where it acts for you, your token must have it.`,
        // > insufficient_scope: The request requires higher privileges than provided by the access token.
        // This request's token is not at fault.
        bearerError: undefined,
      }
    }
  }
}

function dpopRefusal(reason: RefusalReason, message: string): PublicRefusal {
  return {
    status: 401,
    reason,
    message,
    hint: 'Send "Authorization: DPoP <access token>" and "DPoP: <proof>", with a new proof for each request.',
    bearerError: undefined,
  }
}

function invalidToken(reason: RefusalReason, message: string): PublicRefusal {
  return {
    status: 401,
    reason,
    message,
    hint: 'Ask the authorization server for an access token for this agent.',
    bearerError: 'invalid_token',
  }
}
