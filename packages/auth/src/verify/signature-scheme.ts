// How a compact JWS is checked by OpenSSL, for each algorithm (RFC 7518 §3). Threads load this file: it imports nothing
// but what it needs.
import { constants, verify, type KeyObject, type VerifyKeyObjectInput } from 'node:crypto'
import type { ProofAlgorithm } from '../protocol/index.ts'
import { toDerSignature } from './ecdsa-signature.ts'

type Scheme = {
  /** `null` where the algorithm hashes by itself (RFC 8032). */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null
  /** Of ECDSA: bytes of R and of S. */
  readonly scalarBytes?: number
  readonly parameters?: Omit<VerifyKeyObjectInput, 'key'>
}

const PSS = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  // > The size of the salt value is the same size as the hash function output. (RFC 7518 §3.5)
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
}

const SCHEMES: Readonly<Record<ProofAlgorithm, Scheme>> = {
  ES256: { hash: 'sha256', scalarBytes: 32 },
  ES384: { hash: 'sha384', scalarBytes: 48 },
  ES512: { hash: 'sha512', scalarBytes: 66 },
  EdDSA: { hash: null },
  Ed25519: { hash: null },
  PS256: { hash: 'sha256', parameters: PSS },
  // PKCS #1 v1.5 is what a key of an RSA JWK is used with by itself. To say so takes 10 µs, half as long as the check.
  RS256: { hash: 'sha256' },
}

/** Whether it is the name of an algorithm. */
export function isAlgorithm(name: string | undefined): name is ProofAlgorithm {
  return name !== undefined && Object.hasOwn(SCHEMES, name)
}

/** A compact JWS, `header.payload.signature`, and what it is to be verified with. */
export type SignedText = {
  readonly jws: string
  readonly algorithm: ProofAlgorithm
  readonly key: KeyObject
}

/** Whether the signature is the key's. The algorithm must fit the key: `isKeyFor` says so. */
export function isSignatureOf(text: SignedText): boolean {
  const { data, hash, key, signature } = toCheck(text)
  return signature !== undefined && verify(hash, data, key, signature)
}

/** The same on a thread of libuv's. Rejects for no signature. */
export async function isSignatureOfOnPool(text: SignedText): Promise<boolean> {
  const { data, hash, key, signature } = toCheck(text)
  if (signature === undefined) return false
  const { promise, reject, resolve } = Promise.withResolvers<boolean>()
  verify(hash, data, key, signature, (error, isGood) => {
    if (error === null) resolve(isGood)
    else reject(error)
  })
  return promise
}

/** What OpenSSL is to check. The signature is `undefined` where it has a form that none has. */
function toCheck({ algorithm, jws, key }: SignedText) {
  const dot = jws.lastIndexOf('.')
  const { hash, parameters, scalarBytes } = SCHEMES[algorithm]
  const sent = Buffer.from(jws.slice(dot + 1), 'base64url')
  return {
    hash,
    data: Buffer.from(jws.slice(0, dot)),
    key: parameters === undefined ? key : { key, ...parameters },
    signature: scalarBytes === undefined ? sent : toDerSignature(sent, scalarBytes),
  }
}
