// Attacks on the signature of a token. Tokens are made by jose, and by hand where jose makes none.
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose'
import { createSign, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { goodClaims, ISSUER } from '../../../../test/support/test-issuer.ts'
import { createAccessTokenVerifier } from './access-token-verifier.ts'
import { createLocalSigningKeySource } from './signing-key-source.ts'

const clock = createSettableClock()
const claims = goodClaims(clock.now())

/** What an agent that knows these keys makes of a token. */
async function reasonOf(token: string, ...keys: readonly unknown[]): Promise<string> {
  const verifier = createAccessTokenVerifier({
    issuer: ISSUER,
    audience: 'agent-billing-v2',
    keys: createLocalSigningKeySource({ keys }),
    clock,
  })
  const verified = await verifier.verify(token)
  return verified.ok ? 'accepted' : verified.refusal.reason
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A key pair of P-256, and tokens that are signed with it by hand. */
function createHand(namedCurve = 'P-256') {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'key-1' }
  const signWith = (make: (text: Buffer, key: KeyObject) => Uint8Array, header: object = {}) => {
    const text = `${encode({ alg: 'ES256', kid: 'key-1', typ: 'at+jwt', ...header })}.${encode(claims)}`
    return `${text}.${Buffer.from(make(Buffer.from(text), privateKey)).toString('base64url')}`
  }
  return { jwk, signWith }
}

const joined = (text: Buffer, key: KeyObject): Buffer =>
  sign('sha256', text, { key, dsaEncoding: 'ieee-p1363' })
const der = (text: Buffer, key: KeyObject): Buffer => createSign('sha256').update(text).sign(key)

test.each([
  { alg: 'ES256', name: undefined },
  { alg: 'EdDSA', name: 'Ed25519' },
  { alg: 'RS256', name: undefined },
])("takes jose's token of $alg", async ({ alg, name }) => {
  const pair = await generateKeyPair(alg, { extractable: true, ...(name && { crv: name }) })
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'key-1', alg, use: 'sig' }
  const signed = async (payload: JWTPayload) =>
    new SignJWT(payload)
      .setProtectedHeader({ alg, kid: 'key-1', typ: 'at+jwt' })
      .sign(pair.privateKey)
  const token = await signed(claims)
  const other = await signed({ ...claims, scope: 'billing:write' })
  const forged = [...other.split('.').slice(0, 2), token.split('.')[2]].join('.')

  expect(await reasonOf(token, jwk)).toBe('accepted')
  expect(await reasonOf(forged, jwk)).toBe('token_signature_invalid')
})

describe('a signature is refused', () => {
  const hand = createHand()

  test('in DER in place of R and S, with bytes behind it, or without some', async () => {
    const reasons = [
      joined,
      der,
      (text: Buffer, key: KeyObject) => Buffer.concat([joined(text, key), Buffer.from([0])]),
      (text: Buffer, key: KeyObject) => joined(text, key).subarray(0, 63),
      () => Buffer.alloc(64),
      (text: Buffer, key: KeyObject) => joined(text, key).fill(0, 0, 32),
      (text: Buffer, key: KeyObject) => joined(text, key).fill(0, 32),
    ].map(async (make) => reasonOf(hand.signWith(make), hand.jwk))

    expect(await Promise.all(reasons)).toEqual([
      'accepted',
      ...Array.from({ length: 6 }, () => 'token_signature_invalid'),
    ])
  })

  test('with a header that names critical extensions, also known ones', async () => {
    // Attack: an extension that changes what is signed (RFC 7797), or that a verifier must keep.
    const headers = [{ crit: ['b64'], b64: true }, { crit: ['exp'] }, { crit: [] }]

    for (const header of headers) {
      expect(await reasonOf(hand.signWith(joined, header), hand.jwk)).toBe(
        'token_signature_invalid',
      )
    }
  })

  test('of a key on another curve, which says that it is for this algorithm', async () => {
    // Attack: a key that is published for something else, taken for one of tokens.
    const other = createHand('P-384')

    expect(await reasonOf(other.signWith(joined), other.jwk)).toBe('token_signature_invalid')
    expect(await reasonOf(other.signWith(joined), { ...other.jwk, alg: 'ES256' })).toBe(
      'token_signature_invalid',
    )
  })

  test.each([
    { what: 'for another algorithm', changes: { alg: 'ES384' } },
    { what: 'for encryption', changes: { use: 'enc' } },
    { what: 'to sign with', changes: { key_ops: ['sign'] } },
    { what: 'with its private part published', changes: { d: 'A'.repeat(43) } },
  ])('of a key $what', async ({ changes }) => {
    expect(await reasonOf(hand.signWith(joined), { ...hand.jwk, ...changes })).toBe(
      'token_signature_invalid',
    )
  })

  test('of an algorithm that is not that of the key', async () => {
    // Attack: key confusion (RFC 8725 §2.1).
    for (const alg of ['RS256', 'EdDSA', 'ES384', 'HS256', 'none', 'es256', '', null, ['ES256']]) {
      expect(await reasonOf(hand.signWith(joined, { alg }), hand.jwk)).toBe(
        'token_signature_invalid',
      )
    }
  })

  test('where its header does not say by which of two keys', async () => {
    const other = createHand()
    const named = { ...other.jwk, kid: 'key-2' }
    const token = hand.signWith(joined, { kid: undefined })

    expect(await reasonOf(token, hand.jwk, named)).toBe('token_signature_invalid')
    expect(await reasonOf(token, hand.jwk)).toBe('accepted')
  })

  test('where its key id is no text', async () => {
    expect(await reasonOf(hand.signWith(joined, { kid: 1 }), hand.jwk)).toBe('token_malformed')
  })
})

test('a set with keys in it that nobody understands is read all the same (RFC 7517 §5)', async () => {
  const hand = createHand()
  const strangers = [null, 'key', {}, { kty: 'AKP', kid: 'key-1' }, { kty: 'EC', crv: 'P-256' }]

  expect(await reasonOf(hand.signWith(joined), ...strangers, hand.jwk)).toBe('accepted')
})

test.each(['AT+JWT', 'application/at+jwt'])(
  'the type %s is that of an access token',
  async (typ) => {
    const hand = createHand()

    expect(await reasonOf(hand.signWith(joined, { typ }), hand.jwk)).toBe('accepted')
  },
)
