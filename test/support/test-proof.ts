// DPoP proofs for tests of those who verify them: real keys, and any proof that a test can think of.
import { DPOP_PROOF_TYPE, type ProofAlgorithm } from '@deputy/auth/protocol'
import {
  calculateJwkThumbprint,
  CompactSign,
  exportJWK,
  generateKeyPair,
  type CryptoKey,
  type JWK,
} from 'jose'
import { createHash, randomUUID } from 'node:crypto'

/** A key that proofs are made with. */
export type ProofKey = {
  readonly algorithm: ProofAlgorithm
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
  readonly privateJwk: JWK
  /** Its thumbprint (RFC 7638). */
  readonly jkt: string
}

/** Makes a key. */
export async function createProofKey(algorithm: ProofAlgorithm = 'ES256'): Promise<ProofKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  const publicJwk = await exportJWK(publicKey)
  return {
    algorithm,
    privateKey,
    publicJwk,
    privateJwk: await exportJWK(privateKey),
    jkt: await calculateJwkThumbprint(publicJwk),
  }
}

/** What is changed of a good proof; a member that is `undefined` is left out. */
export type ProofChanges = {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
}

/** Signs a proof: these claims, with an id of its own. */
export async function signProof(
  key: ProofKey,
  claims: Readonly<Record<string, unknown>>,
  changes: ProofChanges = {},
): Promise<string> {
  const payload = JSON.stringify({ jti: randomUUID(), ...claims, ...changes.claims })
  const header = { typ: DPOP_PROOF_TYPE, alg: key.algorithm, jwk: key.publicJwk }
  return new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ ...header, ...changes.header })
    .sign(key.privateKey)
}

/** The `ath` of a token (RFC 9449 §4.2). */
export function toAth(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest('base64url')
}
