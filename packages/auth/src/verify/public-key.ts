// Verifies compact JWS signatures with keys that callers bring along, on `node:crypto`: each key is used
// once or seldom, and importing it into Web Crypto costs more than the whole of this.
import {
  constants,
  createHash,
  createPublicKey,
  verify,
  type KeyObject,
  type VerifyKeyObjectInput,
} from 'node:crypto'
import { toKeyParameters, type ProofAlgorithm, type PublicJwk } from '../protocol/index.ts'

/** Smallest RSA modulus, in bits (RFC 7518 §3.3). */
const MIN_MODULUS_BITS = 2048

type Scheme = {
  /** `null` where the algorithm hashes by itself (RFC 8032). */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null
  readonly parameters: Omit<VerifyKeyObjectInput, 'key'>
}

// RFC 7518 §3.4: a JWS holds R and S one after the other, not DER.
const ECDSA = { dsaEncoding: 'ieee-p1363' } as const
const PSS = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  // > The size of the salt value is the same size as the hash function output. (RFC 7518 §3.5)
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
}

const SCHEMES: Readonly<Record<ProofAlgorithm, Scheme>> = {
  ES256: { hash: 'sha256', parameters: ECDSA },
  ES384: { hash: 'sha384', parameters: ECDSA },
  ES512: { hash: 'sha512', parameters: ECDSA },
  EdDSA: { hash: null, parameters: {} },
  Ed25519: { hash: null, parameters: {} },
  PS256: { hash: 'sha256', parameters: PSS },
  RS256: { hash: 'sha256', parameters: { padding: constants.RSA_PKCS1_PADDING } },
}

/**
 * Imports a public key. Answers `undefined` for one that is none: a point that is not on its curve, or
 * an RSA modulus that is shorter than it is written.
 */
export function importPublicKey(jwk: PublicJwk): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: toKeyParameters(jwk), format: 'jwk' })
    const modulusBits = key.asymmetricKeyDetails?.modulusLength ?? MIN_MODULUS_BITS
    return modulusBits < MIN_MODULUS_BITS ? undefined : key
  } catch {
    return undefined
  }
}

/** A compact JWS, `header.payload.signature`, and what it is to be verified with. */
export type SignedText = {
  readonly jws: string
  readonly algorithm: ProofAlgorithm
  readonly key: KeyObject
}

/** Whether the signature is the key's. The algorithm must fit the key: `isKeyFor` says so. */
export function isSignatureOf({ algorithm, jws, key }: SignedText): boolean {
  const dot = jws.lastIndexOf('.')
  const { hash, parameters } = SCHEMES[algorithm]
  const signature = Buffer.from(jws.slice(dot + 1), 'base64url')
  return verify(hash, Buffer.from(jws.slice(0, dot)), { key, ...parameters }, signature)
}

/** The thumbprint of a key (RFC 7638 §3): the SHA-256 of its parameters, in the order of their names. */
export function toThumbprint(jwk: PublicJwk): string {
  const members = Object.entries(toKeyParameters(jwk)).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const text = JSON.stringify(Object.fromEntries(members))
  return createHash('sha256').update(text).digest('base64url')
}
