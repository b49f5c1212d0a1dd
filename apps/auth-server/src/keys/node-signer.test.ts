import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from '@deputy/auth/protocol'
import * as fc from 'fast-check'
import { exportJWK, generateKeyPair, importJWK, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { TEST_SEALER } from '../../test-support/signing-keys.ts'
import { START_AT } from '../../test-support/clock.ts'
import { createJwtEncoder, signJwt, toSignedJwt } from '../tokens/jwt-encoder.ts'
import { createNodeSigner } from './node-signer.ts'
import { createSigningKey } from './create-signing-key.ts'
import { SIGNATURE_BYTES, signNow } from './sign-now.ts'

async function createKey(algorithm: SignatureAlgorithm) {
  const record = await createSigningKey({ algorithm, sealer: TEST_SEALER, now: START_AT })
  const text = TEST_SEALER.open(record.kid, record.sealedPrivateKey)
  const privateJwk: Record<string, unknown> = JSON.parse(text)
  return { ...record, privateJwk, signer: createNodeSigner({ ...record, privateJwk }) }
}

const Claims = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue())

describe.each(SIGNATURE_ALGORITHMS)('a key of %s', (algorithm) => {
  test('makes JWTs that jose takes, whatever they claim', async () => {
    const { kid, publicJwk, signer } = await createKey(algorithm)
    const publicKey = await importJWK(publicJwk, algorithm)
    const encode = createJwtEncoder('at+jwt')

    await fc.assert(
      fc.asyncProperty(Claims, async (anything) => {
        // jose judges these by the time, which is not what this is about.
        const { exp: _exp, iat: _iat, nbf: _nbf, ...claims } = anything
        const token = await signJwt(encode(signer, claims))

        const { payload, protectedHeader } = await jwtVerify(token, publicKey)

        expect(protectedHeader).toEqual({ alg: algorithm, kid, typ: 'at+jwt' })
        expect(payload).toEqual(JSON.parse(JSON.stringify(claims)))
      }),
      { numRuns: algorithm === 'RS256' ? 50 : 200 },
    )
  })

  test('is refused by another key of the same algorithm', async () => {
    const [one, two] = await Promise.all([createKey(algorithm), createKey(algorithm)])
    const token = await signJwt(createJwtEncoder('at+jwt')(one.signer, {}))
    const publicKey = await importJWK(two.publicJwk, algorithm)

    await expect(jwtVerify(token, publicKey)).rejects.toThrow('signature verification failed')
  })

  test('has a public half that holds nothing of the private one', async () => {
    const { privateJwk, publicJwk } = await createKey(algorithm)

    const secrets = ['d', 'p', 'q', 'dp', 'dq', 'qi'].filter((name) => name in privateJwk)
    expect(secrets).toContain('d')
    expect(Object.keys(publicJwk)).toEqual(expect.not.arrayContaining(secrets))
  })
})

test('keys of RS256 have 2048 bits', async () => {
  const { publicJwk } = await createKey('RS256')

  expect(Buffer.from(publicJwk.n ?? '', 'base64url')).toHaveLength(256)
})

test.each(['ES256', 'EdDSA'] as const)(
  'a thread signs with a handle of %s what the signer would sign',
  async (algorithm) => {
    const { publicJwk, signer } = await createKey(algorithm)
    const jwt = createJwtEncoder('at+jwt')(signer, { sub: 'agent-alice' })

    const signature = signer.handle && signNow(signer.handle, jwt.input)

    expect(signature).toHaveLength(SIGNATURE_BYTES)
    const token = toSignedJwt(jwt, signature ?? new Uint8Array())
    const publicKey = await importJWK(publicJwk, algorithm)
    expect((await jwtVerify(token, publicKey)).payload).toEqual({ sub: 'agent-alice' })
  },
)

test('a key of RS256 is lent to no thread, where its signatures would hold up all others', async () => {
  const { signer } = await createKey('RS256')

  expect(signer.handle).toBeUndefined()
})

test('signatures of ES256 are R and S side by side, 64 bytes', async () => {
  const { signer } = await createKey('ES256')

  expect(await signer.sign('anything')).toHaveLength(64)
})

test.each([
  ['ES256', 'EdDSA'],
  ['RS256', 'ES256'],
  ['EdDSA', 'RS256'],
] as const)('a signer of %s refuses a key of %s', async (algorithm, other) => {
  const { privateJwk } = await createKey(other)

  const create = () => createNodeSigner({ kid: 'one', algorithm, privateJwk })

  expect(create).toThrow(`the signing key one is not a key of ${algorithm}`)
})

test('takes the private keys that jose made, as earlier versions stored them', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const privateJwk = await exportJWK(privateKey)
  const signer = createNodeSigner({ kid: 'one', algorithm: 'ES256', privateJwk })

  const token = await signJwt(createJwtEncoder('at+jwt')(signer, { sub: 'agent-alice' }))

  expect((await jwtVerify(token, publicKey)).payload).toEqual({ sub: 'agent-alice' })
})
