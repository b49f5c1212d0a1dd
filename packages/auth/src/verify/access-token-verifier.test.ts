import { base64url, CompactSign, exportSPKI, importJWK, SignJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import {
  createFakeIssuer,
  createSigningPair,
  goodClaims,
  ISSUER,
  signToken,
  type SigningPair,
} from '../../../../test/support/test-issuer.ts'
import { createAccessTokenVerifier } from './access-token-verifier.ts'
import { createRemoteSigningKeySource } from './remote-signing-keys.ts'

const AUDIENCE = 'agent-billing-v2'
const clock = createSettableClock()
const now = clock.now()
let pair: SigningPair
let mallory: SigningPair

beforeAll(async () => {
  pair = await createSigningPair('key-1')
  mallory = await createSigningPair('key-1')
})

function createVerifier(clockToleranceSeconds = 0) {
  const issuer = createFakeIssuer([pair.publicJwk])
  const keys = createRemoteSigningKeySource(ISSUER, { fetch: issuer.fetch })
  return createAccessTokenVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    keys,
    clock,
    clockToleranceSeconds,
  })
}

const reasonOf = async (token: string, toleranceSeconds?: number): Promise<string> => {
  const result = await createVerifier(toleranceSeconds).verify(token)
  return result.ok ? 'accepted' : result.refusal.reason
}
const sign = async (changes: Record<string, unknown>, header = {}) =>
  signToken(pair, { ...goodClaims(now), ...changes }, header)

test('turns a good token into a principal', async () => {
  const token = await sign({ scope: 'billing:read billing:write' })

  const result = await createVerifier().verify(token)

  expect(result).toEqual({
    ok: true,
    value: {
      agentId: 'agent-alice-v1',
      subject: 'agent-alice-v1',
      audience: AUDIENCE,
      scopes: ['billing:read', 'billing:write'],
      priorActors: [],
      expiresAt: now + 900,
      grantPath: ['token-1'],
      limits: [],
      credential: { kind: 'access_token', id: 'token-1' },
    },
  })
})

test('reads who acts from the outermost actor, and keeps the subject (RFC 8693 §4.1)', async () => {
  const token = await sign({ act: { sub: 'agent-c', act: { sub: 'agent-b' } } })

  const result = await createVerifier().verify(token)

  expect(result).toMatchObject({
    value: { agentId: 'agent-c', subject: 'agent-alice-v1', priorActors: ['agent-b'] },
  })
})

describe('refuses', () => {
  test('a token that says it needs no signature', async () => {
    // Attack: `alg: none` (RFC 8725 §2.1).
    const payload = base64url.encode(JSON.stringify(goodClaims(now)))
    const header = base64url.encode(JSON.stringify({ alg: 'none', typ: 'at+jwt' }))

    expect(await reasonOf(`${header}.${payload}.`)).toBe('token_malformed')
    expect(await reasonOf(`${header}.${payload}.AAAA`)).toBe('token_signature_invalid')
  })

  test('a token signed with the public key as if it were a shared secret', async () => {
    // Attack: key confusion (RFC 8725 §2.1). The public key is known to everybody.
    const publicKey = await importJWK(pair.publicJwk, 'ES256', { extractable: true })
    const secret = new TextEncoder().encode(await exportSPKI(publicKey as never))
    const token = await new SignJWT(goodClaims(now))
      .setProtectedHeader({ alg: 'HS256', kid: 'key-1', typ: 'at+jwt' })
      .sign(secret)

    expect(await reasonOf(token)).toBe('token_signature_invalid')
  })

  test("a token signed by another key that claims the issuer's key id", async () => {
    expect(await reasonOf(await signToken(mallory, goodClaims(now)))).toBe(
      'token_signature_invalid',
    )
  })

  test('a token with a key id that the issuer does not have', async () => {
    expect(await reasonOf(await sign({}, { kid: 'key-9' }))).toBe('token_signature_invalid')
  })

  test('a token whose claims were changed after it was signed', async () => {
    const [header, , signature] = (await sign({})).split('.')
    const payload = base64url.encode(JSON.stringify({ ...goodClaims(now), scope: 'billing:write' }))

    expect(await reasonOf(`${header ?? ''}.${payload}.${signature ?? ''}`)).toBe(
      'token_signature_invalid',
    )
  })

  test.each(['JWT', 'dpop+jwt', undefined])('a signed JWT of type %s', async (typ) => {
    // Attack: another kind of JWT from the same issuer, passed off as an access token.
    expect(await reasonOf(await sign({}, { typ }))).toBe('token_type_invalid')
  })

  test.each([
    ['iss', { iss: 'https://evil.example' }, 'token_issuer_invalid'],
    ['iss that only begins alike', { iss: `${ISSUER}/` }, 'token_issuer_invalid'],
    ['aud', { aud: 'agent-research-v1' }, 'token_audience_invalid'],
    ['no aud', { aud: undefined }, 'token_audience_invalid'],
    ['nbf', { nbf: now + 60 }, 'token_not_yet_valid'],
    ['no exp', { exp: undefined }, 'token_malformed'],
    ['no jti', { jti: undefined }, 'token_malformed'],
    ['no client_id', { client_id: undefined }, 'token_malformed'],
    ['scope', { scope: 'a  b' }, 'token_malformed'],
    ['scope that is no text', { scope: ['billing:read'] }, 'token_malformed'],
    ['exp that is no number', { exp: 'tomorrow' as unknown as number }, 'token_malformed'],
  ])('a token with a wrong claim: %s', async (_what, changes, reason) => {
    expect(await reasonOf(await sign(changes))).toBe(reason)
  })

  test.each(['', 'x', 'a.b', 'a.b.c', 'a.b.c.d.e', '🙂.🙂.🙂'])('the text %j', async (text) => {
    expect(await reasonOf(text)).toMatch(/^token_(malformed|signature_invalid)$/)
  })

  test('a payload that is not an object of claims', async () => {
    const token = await new CompactSign(new TextEncoder().encode('"claims"'))
      .setProtectedHeader({ alg: 'ES256', kid: 'key-1', typ: 'at+jwt' })
      .sign(pair.privateKey)

    expect(await reasonOf(token)).toBe('token_malformed')
  })
})

describe('time', () => {
  test.each([
    [1, 0, 'accepted'],
    [0, 0, 'token_expired'],
    [-1, 0, 'token_expired'],
    [0, 5, 'accepted'],
    [-4, 5, 'accepted'],
    [-5, 5, 'token_expired'],
  ])(
    'a token with %i seconds left and a tolerance of %i is %s',
    async (left, tolerance, reason) => {
      expect(await reasonOf(await sign({ exp: now + left }), tolerance)).toBe(reason)
    },
  )

  test('a principal that was verified is checked again by the same rule', async () => {
    const verifier = createVerifier(5)
    const verified = await verifier.verify(await sign({ exp: now + 1 }))
    if (!verified.ok) throw new Error('not verified')
    const at = (seconds: number) => {
      clock.set(now + seconds)
      const result = verifier.checkTime(verified.value)
      clock.set(now)
      return result.ok
    }

    expect([at(1), at(5), at(6)]).toEqual([true, true, false])
  })
})

describe('the order of checks', () => {
  test.each([
    ['foreign and expired is foreign', true, { exp: now - 60 }, 'token_signature_invalid'],
    [
      'of another issuer and audience',
      false,
      { iss: 'https://x.example', aud: 'x' },
      'token_issuer_invalid',
    ],
    [
      'for another agent and expired',
      false,
      { aud: 'agent-x', exp: now - 60 },
      'token_audience_invalid',
    ],
  ])('a token %s', async (...[, isForeign, changes, reason]) => {
    const token = await signToken(isForeign ? mallory : pair, { ...goodClaims(now), ...changes })

    expect(await reasonOf(token)).toBe(reason)
  })
})

test.each([-1, 301, Number.NaN])(
  'cannot be told to tolerate %d seconds',
  (clockToleranceSeconds) => {
    // Attack: revocations are told for 300 seconds after a token's end. What is taken after that is denied by nobody.
    const keys = createRemoteSigningKeySource(ISSUER)
    const options = { issuer: ISSUER, audience: AUDIENCE, keys, clockToleranceSeconds }

    expect(() => createAccessTokenVerifier(options)).toThrow(/clockToleranceSeconds/)
  },
)

test.each([['HS256'], ['none'], []])(
  'cannot be told to accept the algorithm %s',
  (...algorithms) => {
    const keys = createRemoteSigningKeySource(ISSUER)
    const create = () =>
      createAccessTokenVerifier({
        issuer: ISSUER,
        audience: AUDIENCE,
        keys,
        algorithms: algorithms as never,
      })

    expect(create).toThrow(TypeError)
  },
)

test('refuses a token that ends while the keys are fetched', async () => {
  // Attack: a token in its last second, and an issuer that is slow: it was judged by the time at which it came.
  const timed = createSettableClock()
  const token = await signToken(pair, goodClaims(timed.now()))
  const issuer = createFakeIssuer([pair.publicJwk])
  const verifier = createAccessTokenVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: createRemoteSigningKeySource(ISSUER, {
      async fetch(...request) {
        timed.advance(500)
        return issuer.fetch(...request)
      },
    }),
    clock: timed,
    clockToleranceSeconds: 0,
  })

  expect(await verifier.verify(token)).toMatchObject({ refusal: { reason: 'token_expired' } })
})
