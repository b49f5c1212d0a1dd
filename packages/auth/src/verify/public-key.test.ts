import { calculateJwkThumbprint, CompactSign } from 'jose'
import { createSign, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createProofKey } from '../../../../test/support/test-proof.ts'
import { parsePublicJwk, PROOF_ALGORITHMS, type PublicJwk } from '../protocol/index.ts'
import { importPublicKey, toThumbprint } from './public-key.ts'
import { isSignatureOf } from './signature-scheme.ts'

function parse(value: unknown): PublicJwk {
  const parsed = parsePublicJwk(value)
  if (!parsed.ok) throw new Error(parsed.refusal.detail)
  return parsed.value
}

describe.each(PROOF_ALGORITHMS)('%s', (algorithm) => {
  test("takes jose's signature, and no other key's, no other text's, no shorter one", async () => {
    const signer = await createProofKey(algorithm)
    const jws = await new CompactSign(new TextEncoder().encode('{"a":1}'))
      .setProtectedHeader({ alg: algorithm })
      .sign(signer.privateKey)
    const key = importPublicKey(parse(signer.publicJwk))
    const stranger = importPublicKey(parse((await createProofKey(algorithm)).publicJwk))
    if (key === undefined || stranger === undefined) throw new Error('not imported')
    const [header, payload, signature] = jws.split('.')

    expect(isSignatureOf({ jws, algorithm, key })).toBe(true)
    expect(isSignatureOf({ jws, algorithm, key: stranger })).toBe(false)
    expect(
      isSignatureOf({ jws: [header, `${payload ?? ''}A`, signature].join('.'), algorithm, key }),
    ).toBe(false)
    expect(isSignatureOf({ jws: jws.slice(0, -4), algorithm, key })).toBe(false)
    expect(isSignatureOf({ jws: `${header ?? ''}.${payload ?? ''}.`, algorithm, key })).toBe(false)
  })

  test('has the thumbprint that jose calculates', async () => {
    const { publicJwk } = await createProofKey(algorithm)

    const thumbprint = toThumbprint(parse({ ...publicJwk, kid: 'named', use: 'sig' }))

    expect(thumbprint).toBe(await calculateJwkThumbprint(publicJwk))
  })
})

test('an ECDSA signature in DER is none (RFC 7518 §3.4)', () => {
  // Attack: one signature in two encodings, where a signed text is known again by its text.
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const der = createSign('sha256').update('a.b').sign(privateKey).toString('base64url')

  expect(isSignatureOf({ jws: `a.b.${der}`, algorithm: 'ES256', key: publicKey })).toBe(false)
})
