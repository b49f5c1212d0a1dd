import { systemClock, type Clock } from '@deputy/auth/protocol'
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type CryptoKey,
  type JSONWebKeySet,
} from 'jose'
import type { SigningKeyStore } from './signing-key-store.ts'

/** The keys that tokens are signed with and verified by. */
export type KeyRing = {
  readonly signing: { readonly kid: string; readonly algorithm: 'ES256'; readonly key: CryptoKey }
  /** What `/.well-known/jwks.json` serves: public halves only. */
  readonly publicKeys: JSONWebKeySet
}

/** Opens the ring; the first start on an empty store makes its key. */
export async function openKeyRing(
  store: SigningKeyStore,
  clock: Clock = systemClock,
): Promise<KeyRing> {
  if ((await store.list()).length === 0) await store.insertFirst(await createSigningKey(clock))
  const records = await store.list()
  const newest = records[0]
  if (newest === undefined) throw new Error('the signing key was not stored')
  const key = await importJWK(newest.privateJwk, newest.algorithm)
  if (key instanceof Uint8Array) throw new TypeError('a signing key must be asymmetric')
  return {
    signing: { kid: newest.kid, algorithm: newest.algorithm, key },
    publicKeys: {
      keys: records.map(({ algorithm, kid, publicJwk }) =>
        Object.assign({ kid, alg: algorithm, use: 'sig' }, publicJwk),
      ),
    },
  }
}

async function createSigningKey(clock: Clock) {
  const algorithm = 'ES256'
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  const publicJwk = await exportJWK(publicKey)
  return {
    // RFC 7638: the key names itself, so no two keys share a name.
    kid: await calculateJwkThumbprint(publicJwk),
    algorithm,
    publicJwk,
    privateJwk: await exportJWK(privateKey),
    createdAt: clock.now(),
  } as const
}
