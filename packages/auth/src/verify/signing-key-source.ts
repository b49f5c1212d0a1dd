// Where a verifier gets the issuer's public keys from. Two adapters: a fixed set, and the issuer's JWKS
// over HTTP (remote-signing-keys.ts).
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'

/** Picks the key for a token's header, as jose wants it. Throws jose's errors when there is none. */
export type SigningKeySource = JWTVerifyGetKey

/** The keys could not be fetched: the issuer is down or answers nonsense. Not the token's fault. */
export class SigningKeysUnavailableError extends Error {
  override readonly name = 'SigningKeysUnavailableError'
  readonly code = 'signing_keys_unavailable'
}

/** Serves keys from a set that is at hand. */
export function createLocalSigningKeySource(keys: JSONWebKeySet): SigningKeySource {
  return createLocalJWKSet(keys)
}
