// Every reason for which a DPoP proof is not taken, as data, and the one mapping to what the caller is
// told (RFC 9449 §§5, 7.1, 8).

/** Why a proof was not taken. */
export type DpopRefusal =
  | { readonly reason: 'dpop_proof_missing' }
  | { readonly reason: 'dpop_proof_repeated' }
  | { readonly reason: 'dpop_proof_malformed'; readonly detail: string }
  | { readonly reason: 'dpop_type_invalid' }
  | { readonly reason: 'dpop_algorithm_not_allowed'; readonly algorithms: readonly string[] }
  | { readonly reason: 'dpop_key_invalid'; readonly detail: string }
  | { readonly reason: 'dpop_signature_invalid' }
  | { readonly reason: 'dpop_method_mismatch'; readonly expected: string }
  | { readonly reason: 'dpop_url_mismatch'; readonly expected: string }
  | { readonly reason: 'dpop_nonce_missing' }
  | { readonly reason: 'dpop_nonce_invalid' }
  | { readonly reason: 'dpop_too_old' }
  | { readonly reason: 'dpop_from_the_future' }
  | { readonly reason: 'dpop_token_hash_mismatch' }
  | { readonly reason: 'dpop_replayed' }
  | { readonly reason: 'dpop_key_mismatch' }
  | { readonly reason: 'dpop_token_not_bound' }
  | { readonly reason: 'replay_memory_unavailable'; readonly detail: string }

/** The stable names of the reasons. */
export type DpopRefusalReason = DpopRefusal['reason']

/** What the caller may read of a refusal. */
export type PublicDpopRefusal = {
  /** The code on the wire; `temporarily_unavailable` is the server's own fault and a 503. */
  readonly error:
    | 'invalid_dpop_proof'
    | 'use_dpop_nonce'
    | 'invalid_token'
    | 'temporarily_unavailable'
  /** What was wrong and what to do. */
  readonly message: string
}

/** Decides what the caller is told about its proof. */
export function toPublicDpopRefusal(refusal: DpopRefusal): PublicDpopRefusal {
  switch (refusal.reason) {
    case 'dpop_proof_missing':
      return invalid('a DPoP header with a proof is needed')
    case 'dpop_proof_repeated':
      return invalid('send exactly one DPoP header')
    case 'dpop_proof_malformed':
      return invalid(`the DPoP proof cannot be read: ${refusal.detail}`)
    case 'dpop_type_invalid':
      return invalid('the typ of a DPoP proof must be dpop+jwt')
    case 'dpop_algorithm_not_allowed':
      return invalid(`the alg of a DPoP proof must be one of: ${refusal.algorithms.join(', ')}`)
    case 'dpop_key_invalid':
      return invalid(`the jwk of the DPoP proof cannot be used: ${refusal.detail}`)
    case 'dpop_signature_invalid':
      return invalid("the DPoP proof's signature does not fit its jwk")
    case 'dpop_method_mismatch':
      return invalid(`the htm of the DPoP proof must be ${refusal.expected}`)
    case 'dpop_url_mismatch':
      return invalid(`the htu of the DPoP proof must be ${refusal.expected}`)
    case 'dpop_too_old':
      return invalid('the DPoP proof is too old: make a new one for each request')
    case 'dpop_from_the_future':
      return invalid("the iat of the DPoP proof lies in the future: check the caller's clock")
    case 'dpop_token_hash_mismatch':
      return invalid('the ath of the DPoP proof must be the SHA-256 of the access token')
    case 'dpop_replayed':
      return invalid('the DPoP proof was used before: make a new one for each request')
    case 'dpop_nonce_missing':
      return { error: 'use_dpop_nonce', message: 'the DPoP proof needs the nonce of DPoP-Nonce' }
    case 'dpop_nonce_invalid':
      return {
        error: 'use_dpop_nonce',
        message: 'the nonce of the DPoP proof is not recent: use the one of DPoP-Nonce',
      }
    case 'dpop_key_mismatch':
      return {
        error: 'invalid_token',
        message: 'the access token is bound to another key than the DPoP proof was made with',
      }
    case 'dpop_token_not_bound':
      return {
        error: 'invalid_token',
        message: 'the access token is bound to no key: send it as Bearer, or ask for a bound one',
      }
    case 'replay_memory_unavailable':
      return {
        error: 'temporarily_unavailable',
        message: 'whether the proof was used before cannot be told right now: try again shortly',
      }
  }
}

function invalid(message: string): PublicDpopRefusal {
  return { error: 'invalid_dpop_proof', message }
}
