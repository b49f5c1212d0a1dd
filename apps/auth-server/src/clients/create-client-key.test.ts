import { describe, expect, test } from 'vitest'
import { createProofKey } from '../../../../test/support/test-proof.ts'
import { createClientKey } from './create-client-key.ts'

const alice = await createProofKey()

function create(jwk: unknown) {
  return createClientKey({ agentId: 'agent-alice', jwk, now: 1, label: 'laptop', expiresAt: 2 })
}

test('keeps a public key under the name that it has', () => {
  expect(create({ ...alice.publicJwk, kid: 'mine' })).toMatchObject({
    value: {
      agentId: 'agent-alice',
      label: 'laptop',
      kid: 'mine',
      publicJwk: alice.publicJwk,
      createdAt: 1,
      expiresAt: 2,
      deactivatedAt: undefined,
    },
  })
})

test('names a key that has no name by its thumbprint', () => {
  expect(create(alice.publicJwk)).toMatchObject({ value: { kid: alice.jkt } })
})

describe('refuses', () => {
  test.each([
    ['a private key', alice.privateJwk, 'key_private'],
    ['a shared secret', { kty: 'oct', k: 'AAAA' }, 'key_symmetric'],
    ['an unknown curve', { ...alice.publicJwk, crv: 'secp256k1' }, 'key_unusable'],
    ['a key for encryption', { ...alice.publicJwk, use: 'enc' }, 'key_unusable'],
    ['a point off the curve', { ...alice.publicJwk, y: alice.publicJwk.x }, 'key_unusable'],
    ['text', 'key', 'key_unusable'],
  ])('%s', (_what, jwk, reason) => {
    expect(create(jwk)).toMatchObject({ ok: false, refusal: { reason } })
  })

  test('RSA of less than 2048 bits, however it is written', async () => {
    const { n } = (await createProofKey('RS256')).publicJwk
    const short = Buffer.from(n ?? '', 'base64url').subarray(0, 128)
    const padded = Buffer.concat([Buffer.alloc(128), short])
    const jwks = [short, padded].map((modulus) => ({
      kty: 'RSA',
      e: 'AQAB',
      n: modulus.toString('base64url'),
    }))

    expect(jwks.map((jwk) => create(jwk).ok)).toEqual([false, false])
  })
})
