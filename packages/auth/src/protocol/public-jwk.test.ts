import { exportJWK, generateKeyPair } from 'jose'
import { describe, expect, test } from 'vitest'
import { isKeyFor, parsePublicJwk, PROOF_ALGORITHMS, type PublicJwk } from './public-jwk.ts'

const P256 = {
  kty: 'EC',
  crv: 'P-256',
  x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
  y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
}

function parse(value: unknown): PublicJwk {
  const parsed = parsePublicJwk(value)
  if (!parsed.ok) throw new Error(parsed.refusal.detail)
  return parsed.value
}

describe('parsePublicJwk', () => {
  test('keeps the key, its name and its use, and nothing else', () => {
    const key = { ...P256, kid: 'key-1', use: 'sig', alg: 'ES256' }

    expect(parse({ ...key, x5c: ['chain'], evil: true })).toEqual(key)
  })

  test.each(PROOF_ALGORITHMS)(
    'reads a key for %s, and refuses its private part',
    async (algorithm) => {
      const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })

      expect(isKeyFor(parse(await exportJWK(publicKey)), algorithm)).toBe(true)
      expect(parsePublicJwk(await exportJWK(privateKey))).toMatchObject({
        refusal: { reason: 'key_private' },
      })
    },
  )

  test.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])(
    'refuses a key with the member %s',
    (name) => {
      expect(parsePublicJwk({ ...P256, [name]: '' })).toMatchObject({
        refusal: { reason: 'key_private' },
      })
    },
  )

  test.each([
    ['a shared secret', { kty: 'oct', k: 'c2VjcmV0' }, 'key_symmetric'],
    ['another curve', { ...P256, crv: 'secp256k1' }, 'key_unusable'],
    ['a key for agreement', { kty: 'OKP', crv: 'X25519', x: P256.x }, 'key_unusable'],
    ['a coordinate that is too short', { ...P256, x: P256.x.slice(1) }, 'key_unusable'],
    ['a coordinate with padding', { ...P256, x: `${P256.x.slice(1)}=` }, 'key_unusable'],
    ['a key without y', { ...P256, y: undefined }, 'key_unusable'],
    ['RSA of 2040 bits', { kty: 'RSA', n: 'x'.repeat(341), e: 'AQAB' }, 'key_unusable'],
    ['RSA of 4104 bits', { kty: 'RSA', n: 'x'.repeat(684), e: 'AQAB' }, 'key_unusable'],
    ['RSA with the exponent 1', { kty: 'RSA', n: 'x'.repeat(342), e: 'AQ' }, 'key_unusable'],
    ['a name that is no text', { ...P256, kid: 1 }, 'key_unusable'],
    ['nothing', null, 'key_unusable'],
    ['a list', [P256], 'key_unusable'],
    ['text', JSON.stringify(P256), 'key_unusable'],
  ])('refuses %s', (_what, value, reason) => {
    expect(parsePublicJwk(value)).toMatchObject({ ok: false, refusal: { reason } })
  })

  test('never repeats what a private key holds', () => {
    const refusal = JSON.stringify(parsePublicJwk({ ...P256, d: 'c2VjcmV0' }))

    expect(refusal).not.toContain('c2VjcmV0')
  })
})

describe('isKeyFor', () => {
  test.each([
    [{}, 'ES256', true],
    [{}, 'ES384', false],
    [{}, 'RS256', false],
    [{ alg: 'ES256' }, 'ES256', true],
    [{ alg: 'ES384' }, 'ES256', false],
    [{ use: 'sig' }, 'ES256', true],
    [{ use: 'enc' }, 'ES256', false],
    [{ key_ops: ['verify'] }, 'ES256', true],
    [{ key_ops: ['encrypt'] }, 'ES256', false],
  ] as const)('a P-256 key that says %j is one for %s: %s', (members, algorithm, expected) => {
    expect(isKeyFor(parse({ ...P256, ...members }), algorithm)).toBe(expected)
  })

  test('takes the two names of the algorithm on Ed25519 for one', () => {
    const key = parse({ kty: 'OKP', crv: 'Ed25519', x: P256.x, alg: 'EdDSA' })

    expect([isKeyFor(key, 'EdDSA'), isKeyFor(key, 'Ed25519')]).toEqual([true, true])
  })
})
