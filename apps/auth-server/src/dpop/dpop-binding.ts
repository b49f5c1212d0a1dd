// Binds tokens to the key of whoever asks for them (RFC 9449 §5), at the token endpoint.
import {
  toPublicDpopRefusal,
  type DpopNonces,
  type DpopProofVerifier,
  type DpopRefusal,
} from '@deputy/auth'
import type { OAuthRequest } from '../http/oauth-request.ts'
import { OAuthError } from '../oauth-error.ts'

/** The key that a token is bound to: its thumbprint, as the claim `cnf` has it (RFC 9449 §6.1). */
export type KeyConfirmation = { readonly jkt: string }

export type DpopBinding = {
  /**
   * Verifies the request's proof and uses it up. Answers `undefined` when there is none and the client
   * need not bind its tokens. Call it once the client is known: an unknown one makes no work here.
   *
   * Rejects with `OAuthError`: `invalid_dpop_proof`, `use_dpop_nonce`, `temporarily_unavailable`.
   */
  bind(request: BoundRequest, policy: BindingPolicy): Promise<KeyConfirmation | undefined>
  /** The headers with which each answer tells the nonce to use next (RFC 9449 §8.2). */
  nonceHeaders(): Readonly<Record<string, string>>
}

/** The part of a request that a proof speaks of. */
export type BoundRequest = Pick<OAuthRequest, 'headerValues' | 'method' | 'path'>

/** > dpop_bound_access_tokens: […] whether the client always uses DPoP for token requests. (§5.2) */
export type BindingPolicy = { readonly isRequired: boolean }

export type DpopBindingOptions = {
  /** Where callers reach the server: what a proxy did to the request's own URL does not count. */
  readonly issuer: string
  readonly proofs: DpopProofVerifier
  /** Given, every proof needs one of these nonces; left out, none is asked for. */
  readonly nonces?: DpopNonces | undefined
}

/** Seconds after which a caller may come back when the replay memory cannot be asked. */
const RETRY_SECONDS = 1

/** Creates the binding. */
export function createDpopBinding(options: DpopBindingOptions): DpopBinding {
  const { nonces, proofs } = options
  const base = options.issuer.replace(/\/$/, '')

  function nonceHeaders(): Readonly<Record<string, string>> {
    return nonces === undefined ? {} : { 'dpop-nonce': nonces.issue() }
  }

  function toOAuthError(refusal: DpopRefusal): OAuthError {
    const { error: code, message } = toPublicDpopRefusal(refusal)
    const { reason } = refusal
    if (code !== 'temporarily_unavailable') {
      return new OAuthError({ code, message, reason, headers: nonceHeaders() })
    }
    const headers = { ...nonceHeaders(), 'retry-after': String(RETRY_SECONDS) }
    return new OAuthError({ code, message, reason, status: 503, headers })
  }

  return Object.freeze({
    nonceHeaders,

    async bind(request: BoundRequest, policy: BindingPolicy) {
      const values = request.headerValues('dpop')
      if (values.length === 0 && !policy.isRequired) return undefined
      const proof = await proofs.verify({
        proofs: values,
        method: request.method,
        url: base + request.path,
        nonce: nonces,
      })
      if (!proof.ok) throw toOAuthError(proof.refusal)
      return { jkt: proof.value.jkt }
    },
  })
}
