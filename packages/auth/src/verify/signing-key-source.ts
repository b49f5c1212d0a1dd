// Where a verifier gets the issuer's public keys from. Two adapters: a fixed set, and the issuer's JWKS
// over HTTP (remote-signing-keys.ts).
import type { KeyObject } from 'node:crypto'
import { isKeyFor, parsePublicJwk, type SignatureAlgorithm } from '../protocol/index.ts'
import { READ_RARELY } from './issuer-request.ts'
import { importPublicKey } from './public-key.ts'

/** What a token says of the key that it was signed with. */
export type WantedKey = {
  readonly algorithm: SignatureAlgorithm
  /** `undefined` where the token names none: then there must be but one key that fits. */
  readonly kid: string | undefined
}

/**
 * Finds the key. Answers `undefined` where none fits, or more than one; rejects with `SigningKeysUnavailableError`
 * where nobody could be asked. Attack prevented: a token that chooses how it is verified; a key fits no algorithm but
 * those of its own kind (RFC 8725 §3.1).
 */
export type SigningKeySource = (wanted: WantedKey) => Promise<KeyObject | undefined>

/** Public keys as they are published (RFC 7517 §5). */
export type PublishedKeys = { readonly keys: readonly unknown[] }

/** The keys could not be fetched: the issuer is down or answers nonsense. Not the token's fault. */
export class SigningKeysUnavailableError extends Error {
  override readonly name = 'SigningKeysUnavailableError'
  readonly code = 'signing_keys_unavailable'
}

/** Serves keys from a set that is at hand. */
export function createLocalSigningKeySource(keys: PublishedKeys): SigningKeySource {
  const find = createKeyFinder(keys)
  return async (wanted) => find(wanted)
}

/**
 * Imports a set once, to look keys up in it.
 *
 * > Implementations SHOULD ignore JWKs within a JWK Set that use "kty" values that are not understood by them, that
 * > are missing required members, or for which values are out of the supported ranges. (RFC 7517 §5)
 */
export function createKeyFinder({
  keys,
}: PublishedKeys): (wanted: WantedKey) => KeyObject | undefined {
  const known = keys.flatMap((published) => {
    const jwk = parsePublicJwk(published, READ_RARELY)
    const key = jwk.ok ? importPublicKey(jwk.value) : undefined
    return jwk.ok && key !== undefined ? [{ jwk: jwk.value, key }] : []
  })

  return ({ algorithm, kid }) => {
    const [found, ...others] = known.filter(
      ({ jwk }) => (kid === undefined || jwk.kid === kid) && isKeyFor(jwk, algorithm),
    )
    return others.length === 0 ? found?.key : undefined
  }
}
