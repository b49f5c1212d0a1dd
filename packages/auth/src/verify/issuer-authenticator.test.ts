import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import {
  createFakeIssuer,
  createSigningPair,
  goodClaims,
  ISSUER,
  signToken,
} from '../../../../test/support/test-issuer.ts'
import {
  createProofKey,
  signProof,
  toAth,
  type ProofKey,
} from '../../../../test/support/test-proof.ts'
import { createAgentSecret } from '../protocol/index.ts'
import {
  createIssuerAuthenticator,
  type IssuerAuthenticatorOptions,
} from './issuer-authenticator.ts'

async function createHarness(options: Partial<IssuerAuthenticatorOptions> = {}, away = false) {
  const clock = createSettableClock()
  const pair = await createSigningPair('key-1')
  const issuer = createFakeIssuer([pair.publicJwk])
  issuer.metadata = { introspection_endpoint: `${ISSUER}/introspect` }
  let isAway = away
  const authenticator = createIssuerAuthenticator({
    issuer: ISSUER,
    agentId: 'agent-billing-v2',
    fetch: async (input, init) => {
      if (isAway) throw new Error('nobody is there')
      return issuer.fetch(input, init)
    },
    clock,
    ...options,
  })
  const byKey = async () =>
    authenticator.authenticate((name) =>
      name === 'x-api-key' ? createAgentSecret('apiKey') : undefined,
    )
  const byToken = async (changes: Record<string, unknown> = {}) => {
    const token = await signToken(pair, { ...goodClaims(clock.now()), ...changes })
    return authenticator.authenticate((name) =>
      name === 'authorization' ? `Bearer ${token}` : undefined,
    )
  }
  const byBoundToken = async (proofKey: ProofKey) => {
    const claims = { ...goodClaims(clock.now()), cnf: { jkt: proofKey.jkt } }
    const token = await signToken(pair, claims)
    const target = { method: 'GET', url: 'https://billing.example/trpc/whoAmI' }
    const dpop = await signProof(proofKey, {
      htm: target.method,
      htu: target.url,
      iat: clock.now(),
      ath: toAth(token),
    })
    const headers = new Map([
      ['authorization', `DPoP ${token}`],
      ['dpop', dpop],
    ])
    const ask = async () => authenticator.authenticate((name) => headers.get(name), target)
    return [await ask(), await ask()]
  }
  const setAway = (now: boolean): void => {
    isAway = now
  }
  return { byBoundToken, byKey, byToken, issuer, now: clock.now(), setAway }
}

describe('an agent’s whole way in', () => {
  test('takes a token that is bound to a key with each proof once, without being told how', async () => {
    const { byBoundToken } = await createHarness()

    const [first, again] = await byBoundToken(await createProofKey())

    expect(first).toMatchObject({ ok: true })
    expect(again).toMatchObject({ refusal: { refusal: { reason: 'dpop_replayed' } } })
  })

  test('takes the tokens that its issuer made for it', async () => {
    const { byToken } = await createHarness()

    expect(await byToken()).toMatchObject({ value: { principal: { agentId: 'agent-alice-v1' } } })
    expect(await byToken({ aud: 'agent-x' })).toMatchObject({
      refusal: { reason: 'token_audience_invalid', expected: 'agent-billing-v2' },
    })
    expect(await byToken({ iss: 'https://evil.example' })).toMatchObject({
      refusal: { reason: 'token_issuer_invalid' },
    })
  })

  test('takes a token without scopes for one that allows nothing', async () => {
    const { byToken } = await createHarness()

    for (const scope of ['', undefined]) {
      expect(await byToken({ scope })).toMatchObject({ value: { principal: { scopes: [] } } })
    }
  })

  test('takes no signature of an algorithm that it was not told to take', async () => {
    const { byToken } = await createHarness({ algorithms: ['EdDSA'] })

    expect(await byToken()).toMatchObject({
      refusal: { reason: 'token_signature_invalid', detail: 'algorithm refused: "ES256"' },
    })
  })

  test('allows five seconds between clocks unless it is told otherwise', async () => {
    const usual = await createHarness()
    const strict = await createHarness({ clockToleranceSeconds: 0 })

    expect(await usual.byToken({ exp: usual.now - 4 })).toMatchObject({ ok: true })
    expect(await usual.byToken({ exp: usual.now - 5 })).toMatchObject({ ok: false })
    expect(await strict.byToken({ exp: strict.now })).toMatchObject({ ok: false })
  })

  test('takes API keys only where it has a secret to ask about them with', async () => {
    const without = await createHarness()
    const having = await createHarness({ clientSecret: 'cs-agent-x' })

    expect(await without.byKey()).toMatchObject({ refusal: { reason: 'api_key_not_accepted' } })
    expect(without.issuer.requests).not.toContain('/introspect')
    // This issuer has no such endpoint: the key was neither good nor bad, but it was asked about.
    expect(await having.byKey()).toMatchObject({ refusal: { reason: 'verifier_unavailable' } })
    expect(having.issuer.requests).toContain('/introspect')
  })

  test('has the keys before the first caller comes, and reads the metadata once for all that needs it', async () => {
    const { byKey, byToken, issuer } = await createHarness({ clientSecret: 'cs-agent-x' })
    await expect.poll(() => issuer.requests).toContain('/jwks')

    await byToken()
    await byKey()

    const isAbout = (name: string) => issuer.requests.filter((path) => path.includes(name))
    expect(isAbout('/jwks')).toHaveLength(1)
    expect(isAbout('oauth-authorization-server')).toHaveLength(1)
  })

  test('starts where its issuer is away, and asks for the keys again with the first token', async () => {
    const { byToken, issuer, setAway } = await createHarness({}, true)

    expect(await byToken()).toMatchObject({ refusal: { reason: 'verifier_unavailable' } })
    setAway(false)

    expect(await byToken()).toMatchObject({ ok: true })
    expect(issuer.requests).toContain('/jwks')
  })
})
