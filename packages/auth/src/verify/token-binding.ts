// Decides whether who sends an access token may use it: a token that is bound to a key (RFC 9449 §6) only
// with proof of that key, made for this request.
import { accept, refuse, type Result } from '../protocol/index.ts'
import type { Principal } from '../principal.ts'
import type { CredentialRefusal } from '../refusal.ts'
import type { Credential } from './credential.ts'
import type { DpopNonces } from './dpop-proof-nonces.ts'
import type { DpopRefusal } from './dpop-proof-refusal.ts'
import type { DpopProofVerifier } from './dpop-proof.ts'

/** A request as callers see it: what a proof must have been made for. */
export type RequestTarget = {
  readonly method: string
  /** By the agent's public URL, whatever stands in front of it made of the request. */
  readonly url: string
}

export type TokenBindingOptions = {
  readonly proofs: DpopProofVerifier
  /** Given, every proof needs one of these nonces. */
  readonly nonces?: DpopNonces | undefined
  /** Takes no access token that is bound to no key, and no API key, which proves nothing either. Default: no. */
  readonly isRequired?: boolean | undefined
}

/** What callers are told of it beforehand. */
export type BindingSupport = {
  /** Algorithms that proofs may be signed with. */
  readonly algorithms: readonly string[]
  readonly isRequired: boolean
  /** The nonce for the next proof; `undefined` where proofs need none. */
  issueNonce(): string | undefined
}

/** What a token came with. */
export type TokenUse = {
  readonly credential: Exclude<Credential, { readonly kind: 'api_key' }>
  /** `undefined` where the transport cannot say, and no bound token is taken. */
  readonly target: RequestTarget | undefined
}

/** Checks the binding of a token that is good in every other way. */
export type CheckTokenBinding = (
  principal: Principal,
  use: TokenUse,
) => Promise<Result<Principal, CredentialRefusal>>

/**
 * Creates the check.
 *
 * @param options left out, no bound token is taken
 */
export function createTokenBindingCheck(
  options: TokenBindingOptions | undefined,
): CheckTokenBinding {
  return async (principal, { credential, target }) => {
    const { confirmation } = principal
    if (credential.kind === 'access_token') {
      // > such a protected resource MUST reject a DPoP-bound access token received as a bearer token
      // (RFC 9449 §7.2). Attack prevented: a bound token that was stolen, used without its key.
      if (confirmation !== undefined) return refuse({ reason: 'token_binding_missing' })
      return options?.isRequired === true
        ? refuse({ reason: 'token_binding_required' })
        : accept(principal)
    }
    if (options === undefined || target === undefined) {
      return refuse({ reason: 'token_binding_not_accepted' })
    }
    // Attack prevented: a bearer token dressed as a bound one by whoever holds any key at all.
    if (confirmation === undefined) return refuseProof({ reason: 'dpop_token_not_bound' })
    const { nonces, proofs } = options
    const { proofs: sent, token: accessToken } = credential
    const proof = await proofs.verify({ ...target, proofs: sent, accessToken, nonce: nonces })
    if (!proof.ok) return toCredentialRefusal(proof.refusal, nonces)
    // > confirm that the public key to which the access token is bound matches the public key from the
    // > DPoP proof. (RFC 9449 §4.3)
    if (proof.value.jkt !== confirmation.jkt) return refuseProof({ reason: 'dpop_key_mismatch' })
    return accept(principal)
  }
}

function toCredentialRefusal(
  refusal: DpopRefusal,
  nonces: DpopNonces | undefined,
): Result<Principal, CredentialRefusal> {
  const { reason } = refusal
  if (reason === 'dpop_proof_missing') return refuse({ reason: 'token_binding_missing' })
  if (reason === 'replay_memory_unavailable') {
    return refuse({ reason: 'verifier_unavailable', detail: refusal.detail })
  }
  const isAboutNonce = reason === 'dpop_nonce_missing' || reason === 'dpop_nonce_invalid'
  if (isAboutNonce && nonces !== undefined) {
    return refuse({ reason: 'dpop_nonce_required', nonce: nonces.issue() })
  }
  return refuseProof(refusal)
}

function refuseProof(refusal: DpopRefusal): Result<Principal, CredentialRefusal> {
  return refuse({ reason: 'dpop_proof_invalid', refusal })
}
