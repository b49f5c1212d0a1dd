// What the claims of a DPoP proof must say of the request that it came with (RFC 9449 §4.3).
import { createHash } from 'node:crypto'
import type { DpopProofClaims } from '../protocol/index.ts'
import type { NonceCheck } from './dpop-proof-nonces.ts'
import type { DpopRefusal } from './dpop-proof-refusal.ts'
import { normalizeHttpUri } from './dpop-proof-url.ts'

/** A request as far as its proof speaks of it. */
export type DpopRequest = {
  /** Every value of the `DPoP` header, as it was sent. */
  readonly proofs: readonly string[]
  readonly method: string
  /** Where callers reach the endpoint: what stands in front of the server may have changed the request's own. */
  readonly url: string
  /** The token that the proof goes with, at a protected resource. */
  readonly accessToken?: string | undefined
  /** Set where a proof must carry a nonce of the server. */
  readonly nonce?: NonceCheck | undefined
}

/** > The htm claim matches the HTTP method of the current request. */
export function checkMethod(
  claims: DpopProofClaims,
  request: DpopRequest,
): DpopRefusal | undefined {
  // Methods are case-sensitive (RFC 9110 §9.1).
  if (claims.htm === request.method) return undefined
  return { reason: 'dpop_method_mismatch', expected: request.method }
}

/** > The htu claim matches the HTTP URI value […], ignoring any query and fragment parts. */
export function checkUrl(claims: DpopProofClaims, request: DpopRequest): DpopRefusal | undefined {
  const expected = normalizeHttpUri(request.url)
  if (expected !== undefined && normalizeHttpUri(claims.htu) === expected) return undefined
  return { reason: 'dpop_url_mismatch', expected: expected ?? 'a URL by RFC 3986, as the request' }
}

/** > If the server provided a nonce value to the client, the nonce claim matches */
export function checkNonce(
  { nonce }: DpopProofClaims,
  request: DpopRequest,
): DpopRefusal | undefined {
  if (request.nonce === undefined) return undefined
  if (nonce === undefined) return { reason: 'dpop_nonce_missing' }
  return request.nonce.check(nonce) ? undefined : { reason: 'dpop_nonce_invalid' }
}

/** > ensure that the value of the ath claim equals the hash of that access token */
export function checkTokenHash(
  { ath }: DpopProofClaims,
  { accessToken }: DpopRequest,
): DpopRefusal | undefined {
  if (accessToken === undefined) return undefined
  const expected = createHash('sha256').update(accessToken).digest('base64url')
  return ath === expected ? undefined : { reason: 'dpop_token_hash_mismatch' }
}
