// Public keys that callers bring along and issuers publish, on `node:crypto`.
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { toKeyParameters, type PublicJwk } from '../protocol/index.ts'

/** Smallest RSA modulus, in bits (RFC 7518 §3.3). */
const MIN_MODULUS_BITS = 2048

/**
 * Imports a public key. Answers `undefined` for one that is none: a point that is not on its curve, or
 * an RSA modulus that is shorter than it is written.
 */
export function importPublicKey(jwk: PublicJwk): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    const modulusBits = key.asymmetricKeyDetails?.modulusLength ?? MIN_MODULUS_BITS
    return modulusBits < MIN_MODULUS_BITS ? undefined : key
  } catch {
    return undefined
  }
}

/** The thumbprint of a key (RFC 7638 §3): the SHA-256 of its parameters, in the order of their names. */
export function toThumbprint(jwk: PublicJwk): string {
  const members = Object.entries(toKeyParameters(jwk)).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const text = JSON.stringify(Object.fromEntries(members))
  return createHash('sha256').update(text).digest('base64url')
}
