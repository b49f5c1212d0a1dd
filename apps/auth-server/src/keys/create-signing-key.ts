import type { EpochSeconds, SignatureAlgorithm } from '@deputy/auth/protocol'
import { calculateJwkThumbprint } from 'jose'
import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { KeySealer } from './key-sealer.ts'
import type { NextSigningKey } from './signing-key-store.ts'

export type CreateSigningKeyOptions = {
  readonly algorithm: SignatureAlgorithm
  readonly sealer: KeySealer
  readonly now: EpochSeconds
}

const generate = promisify(generateKeyPair)

/** Makes a key pair, the private half sealed. */
export async function createSigningKey(options: CreateSigningKeyOptions): Promise<NextSigningKey> {
  const { algorithm, now, sealer } = options
  const privateKey = await generatePrivateKey(algorithm)
  const publicJwk = createPublicKey(privateKey).export({ format: 'jwk' })
  // RFC 7638: the key names itself, so no two keys share a name.
  const kid = await calculateJwkThumbprint(publicJwk)
  const sealedPrivateKey = sealer.seal(kid, JSON.stringify(privateKey.export({ format: 'jwk' })))
  return { kid, algorithm, publicJwk, state: 'next', sealedPrivateKey, createdAt: now }
}

async function generatePrivateKey(algorithm: SignatureAlgorithm): Promise<KeyObject> {
  switch (algorithm) {
    case 'ES256':
      return (await generate('ec', { namedCurve: 'P-256' })).privateKey
    case 'EdDSA':
      return (await generate('ed25519')).privateKey
    case 'RS256':
      // > A key of size 2048 bits or larger MUST be used (RFC 7518 §3.3)
      return (await generate('rsa', { modulusLength: 2048 })).privateKey
  }
}
