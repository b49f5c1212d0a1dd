// Signing keys and rings for tests.
import type { JSONWebKeySet } from 'jose'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { createAesGcmKeySealer } from '../src/keys/aes-gcm-key-sealer.ts'
import { openKeyRing, type KeyRing, type KeyRingOptions } from '../src/keys/key-ring.ts'
import type { KeySealer } from '../src/keys/key-sealer.ts'
import type { Signer } from '../src/keys/signer.ts'
import type {
  ActiveSigningKey,
  NextSigningKey,
  RetiredSigningKey,
} from '../src/keys/signing-key-store.ts'
import { createJwtEncoder, signJwt } from '../src/tokens/jwt-encoder.ts'
import { START_AT } from './clock.ts'

/** A sealing key, the same for the same number. */
export function makeSealingKey(fill = 1): Uint8Array {
  return new Uint8Array(32).fill(fill)
}

export const TEST_SEALER: KeySealer = createAesGcmKeySealer({
  key: makeSealingKey(),
  source: 'the test',
})

/** Opens a ring that is sealed with `TEST_SEALER` unless told otherwise. */
export async function openTestKeyRing(
  options: Pick<KeyRingOptions, 'store' | 'clock'> & Partial<KeyRingOptions>,
): Promise<KeyRing> {
  return openKeyRing({ sealer: TEST_SEALER, ...options })
}

/** A key that cannot sign, for suites of the store. */
export function makeNextKey(kid: string, createdAt = START_AT): NextSigningKey {
  const publicJwk = { kty: 'EC', crv: 'P-256', x: `x of ${kid}`, y: `y of ${kid}` }
  const sealedPrivateKey = `v1.sealed.${kid}`
  return { kid, algorithm: 'ES256', publicJwk, createdAt, state: 'next', sealedPrivateKey }
}

export function makeActiveKey(kid: string, activatedAt = START_AT): ActiveSigningKey {
  return { ...makeNextKey(kid), state: 'active', activatedAt }
}

/** What becomes of a key when it is retired. */
export function toRetired(key: ActiveSigningKey, retiredAt: number): RetiredSigningKey {
  const { sealedPrivateKey: _, ...pair } = key
  return { ...pair, state: 'retired', retiredAt }
}

const encode = createJwtEncoder('at+jwt')

/** Signs a token that says who it is for and nothing more. */
export async function signToken(signer: Signer, claims: object = {}): Promise<string> {
  return signJwt(encode(signer, { sub: 'agent-alice', ...claims }))
}

/** Whether the token's signature is good, to somebody who has these keys. */
export async function isSignedBy(token: string, keys: JSONWebKeySet): Promise<boolean> {
  return jwtVerify(token, createLocalJWKSet(keys), { currentDate: new Date(0) }).then(
    () => true,
    () => false,
  )
}
