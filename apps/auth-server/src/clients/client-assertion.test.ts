import { ReplayMemoryUnavailableError } from '@deputy/auth'
import { PROOF_ALGORITHMS } from '@deputy/auth/protocol'
import { base64url } from 'jose'
import { describe, expect, test } from 'vitest'
import { oauth } from '../../../../test/support/independent-client.ts'
import { createProofKey } from '../../../../test/support/test-proof.ts'
import {
  ASSERTION_ISSUER,
  createAssertionHarness,
  signAssertion,
} from '../../test-support/client-assertions.ts'
import { START_AT } from '../../test-support/clock.ts'
import type { AgentAt } from '../agents/agent-store.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { toClientAssertionError, type ClientAssertionRefusal } from './client-assertion-refusal.ts'

const now = START_AT
const ALICE: AgentAt = { id: 'agent-alice', within: EVERY_OWNER }
const alice = await createProofKey()
const mallory = await createProofKey()

describe('accepts', () => {
  test.each(PROOF_ALGORITHMS)('an assertion signed with %s', async (algorithm) => {
    await using harness = await createAssertionHarness()
    const key = await createProofKey(algorithm)
    const record = await harness.addKey(key)

    const result = await harness.verifier.verify({
      assertion: await signAssertion(key),
      clientId: 'agent-alice',
    })

    expect(result).toMatchObject({
      ok: true,
      value: { agent: { id: 'agent-alice' }, credentialId: record.id },
    })
  })

  test.each([
    ['without client_id', {}, undefined],
    ['for a list of only this server', { aud: [ASSERTION_ISSUER] }, undefined],
    ['without iat', { iat: undefined }, undefined],
    ['with an nbf of now', { nbf: now }, undefined],
    ['with ten minutes to live', { exp: now + 600 }, undefined],
  ])('an assertion %s', async (_what, claims, clientId) => {
    await using harness = await createAssertionHarness()
    await harness.addKey(alice)

    expect(await harness.reasonOf(await signAssertion(alice, claims), clientId)).toBe('accepted')
  })

  test('an assertion of any typ, and notes the use of its key', async () => {
    await using harness = await createAssertionHarness()
    const { id } = await harness.addKey(alice)
    const assertion = await signAssertion(alice, {}, { typ: 'client-authentication+jwt' })

    const reason = await harness.reasonOf(assertion)
    await harness.uses.flush()

    const found = await harness.storage.clientKeys.find({ id, within: EVERY_OWNER })
    expect([reason, found?.lastUsedAt]).toEqual(['accepted', now])
  })

  test('each of several keys, by its name and without one', async () => {
    await using harness = await createAssertionHarness()
    const bob = await createProofKey()
    await harness.addKey(alice, { kid: 'one' })
    await harness.addKey(bob, { kid: 'two' })

    const reasons = await Promise.all([
      harness.reasonOf(await signAssertion(alice, {}, { kid: 'one' })),
      harness.reasonOf(await signAssertion(bob, {}, { kid: 'two' })),
      harness.reasonOf(await signAssertion(alice)),
      harness.reasonOf(await signAssertion(alice, {}, { kid: 'two' })),
    ])

    expect(reasons).toEqual(['accepted', 'accepted', 'accepted', 'assertion_signature_invalid'])
  })

  test('a key that the client publishes', async () => {
    const publicJwk = { kty: 'OKP', crv: 'Ed25519' } as const
    const key = await createProofKey('EdDSA')
    const published = [{ ...publicJwk, x: key.publicJwk.x ?? '', kid: 'web' }]
    await using harness = await createAssertionHarness({ fetchJwks: async () => published })
    const jwksUri = 'https://alice.example/jwks'
    await harness.storage.agents.update(ALICE, { jwksUri })

    const result = await harness.verifier.verify({
      assertion: await signAssertion(key, {}, { kid: 'web' }),
      clientId: undefined,
    })

    expect(result).toMatchObject({ ok: true, value: { credentialId: 'jwks_uri#web' } })
  })

  test("oauth4webapi's own assertion", async () => {
    const clock = { now: () => Math.floor(Date.now() / 1000) }
    await using harness = await createAssertionHarness({ clock })
    await harness.addKey(alice, { kid: 'one' })
    const { privateKey } = alice
    const authenticate = oauth.PrivateKeyJwt({ key: privateKey, kid: 'one' })
    const body = new URLSearchParams()
    await authenticate(
      { issuer: ASSERTION_ISSUER },
      { client_id: 'agent-alice' },
      body,
      new Headers(),
    )

    const reason = await harness.reasonOf(body.get('client_assertion') ?? '', 'agent-alice')

    expect(reason).toBe('accepted')
  })
})

describe('refuses', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['of another issuer', { iss: 'agent-bob' }, 'assertion_client_mismatch'],
    ['about another subject', { sub: 'agent-bob' }, 'assertion_client_mismatch'],
    ['of another client', { iss: 'agent-bob', sub: 'agent-bob' }, 'assertion_client_mismatch'],
    ['without iss', { iss: undefined }, 'assertion_malformed'],
    ['without sub', { sub: undefined }, 'assertion_malformed'],
    ['without aud', { aud: undefined }, 'assertion_malformed'],
    ['for nobody', { aud: [] }, 'assertion_malformed'],
    ['without exp', { exp: undefined }, 'assertion_malformed'],
    ['with an exp that is text', { exp: String(now + 60) }, 'assertion_malformed'],
    ['without jti', { jti: undefined }, 'assertion_malformed'],
    ['with an empty jti', { jti: '' }, 'assertion_malformed'],
    ['with a huge jti', { jti: 'x'.repeat(257) }, 'assertion_malformed'],
    ['for another server', { aud: 'https://evil.example' }, 'assertion_audience_invalid'],
    ['for the issuer and a slash', { aud: `${ASSERTION_ISSUER}/` }, 'assertion_audience_invalid'],
    [
      'for the token endpoint',
      { aud: `${ASSERTION_ISSUER}/oauth/token` },
      'assertion_audience_invalid',
    ],
    [
      'for this server and another',
      { aud: [ASSERTION_ISSUER, 'https://evil.example'] },
      'assertion_audience_invalid',
    ],
    ['that has expired', { exp: now }, 'assertion_expired'],
    ['with a second too much to live', { exp: now + 601 }, 'assertion_life_too_long'],
    ['that never ends', { exp: 1e300 }, 'assertion_life_too_long'],
    ['not valid yet', { nbf: now + 1 }, 'assertion_not_yet_valid'],
    ['made in the future', { iat: now + 1 }, 'assertion_not_yet_valid'],
  ])('an assertion %s', async (_what, claims, reason) => {
    await using harness = await createAssertionHarness()
    await harness.addKey(alice)

    expect(await harness.reasonOf(await signAssertion(alice, claims), 'agent-alice')).toBe(reason)
  })

  test.each(['', 'x', 'a.b', 'a.b.c', 'bnVsbA.bnVsbA.bnVsbA', '🙂.🙂.🙂'])(
    'the text %j',
    async (text) => {
      await using harness = await createAssertionHarness()

      expect(await harness.reasonOf(text)).toBe('assertion_malformed')
    },
  )

  test.each(['none', 'HS256', undefined, 1])('the algorithm %s', async (alg) => {
    // Attack: `none`, and an HMAC with the public key, which is no secret (RFC 8725 §2.1).
    await using harness = await createAssertionHarness()
    await harness.addKey(alice)
    const [, payload] = (await signAssertion(alice)).split('.')
    const header = base64url.encode(JSON.stringify({ alg }))

    expect(await harness.reasonOf([header, payload, 'AAAA'].join('.'))).toBe(
      'assertion_algorithm_not_allowed',
    )
  })

  test('an assertion that is longer than the limit, by one character', async () => {
    const assertion = await signAssertion(alice)
    const reasonWithin = async (maxAssertionChars: number): Promise<string> => {
      await using harness = await createAssertionHarness({ maxAssertionChars })
      await harness.addKey(alice)
      return await harness.reasonOf(assertion)
    }

    expect(await reasonWithin(assertion.length)).toBe('accepted')
    expect(await reasonWithin(assertion.length - 1)).toBe('assertion_malformed')
  })

  test('a key that the assertion brings along', async () => {
    // Attack: `jwk` or `jku` in the header, to be verified with instead of the client's key.
    await using harness = await createAssertionHarness()
    await harness.addKey(alice)
    const header = { jwk: mallory.publicJwk, jku: 'https://evil.example/jwks' }

    expect(await harness.reasonOf(await signAssertion(mallory, {}, header))).toBe(
      'assertion_signature_invalid',
    )
  })

  test('a key of the client that has expired, at the second, or was ended', async () => {
    await using harness = await createAssertionHarness()
    const record = await harness.addKey(alice, { expiresAt: now + 30 })
    harness.clock.set(now + 29)
    const before = await harness.reasonOf(await signAssertion(alice))
    harness.clock.set(now + 30)
    const at = await harness.reasonOf(await signAssertion(alice))
    const other = await harness.addKey(alice)
    const renewed = await harness.reasonOf(await signAssertion(alice))
    for (const { id } of [record, other]) {
      await harness.storage.clientKeys.deactivate({ id, within: EVERY_OWNER }, now)
    }
    const ended = await harness.reasonOf(await signAssertion(alice))

    expect([before, at, renewed, ended]).toEqual([
      'accepted',
      'assertion_key_unknown',
      'accepted',
      'assertion_key_unknown',
    ])
  })
})

describe('a used assertion', () => {
  test('is refused until it has expired', async () => {
    // Attack: whoever reads the request sends it again.
    await using harness = await createAssertionHarness()
    await harness.addKey(alice)
    const assertion = await signAssertion(alice, { exp: now + 59.5 })
    const at = async (second: number): Promise<string> => {
      harness.clock.set(now + second)
      return harness.reasonOf(assertion)
    }

    expect([await at(0), await at(0), await at(59), await at(60)]).toEqual([
      'accepted',
      'assertion_replayed',
      'assertion_replayed',
      'assertion_expired',
    ])
  })

  test('is refused as long as the tolerance for clocks lets it live, too', async () => {
    await using harness = await createAssertionHarness({ clockToleranceSeconds: 5 })
    await harness.addKey(alice)
    const assertion = await signAssertion(alice, { exp: now + 59.5 })
    const at = async (second: number): Promise<string> => {
      harness.clock.set(now + second)
      return harness.reasonOf(assertion)
    }

    expect([await at(64), await at(64), await at(65)]).toEqual([
      'accepted',
      'assertion_replayed',
      'assertion_expired',
    ])
  })

  test('is accepted once when it comes many times at the same moment', async () => {
    await using harness = await createAssertionHarness()
    await harness.addKey(alice)
    const assertion = await signAssertion(alice)

    const reasons = await Promise.all(
      Array.from({ length: 20 }, async () => harness.reasonOf(assertion)),
    )

    expect(reasons.filter((reason) => reason === 'accepted')).toHaveLength(1)
  })

  test("is not used up by a stranger's signature", async () => {
    // Attack: mallory uses up ids in the name of alice.
    await using harness = await createAssertionHarness()
    await harness.addKey(alice)
    await harness.reasonOf(await signAssertion(mallory, { jti: 'next' }))

    expect(await harness.reasonOf(await signAssertion(alice, { jti: 'next' }))).toBe('accepted')
  })

  test('cannot be told from a new one when the memory is gone, so neither is taken', async () => {
    const claimOnce = async () => Promise.reject(new ReplayMemoryUnavailableError('gone'))
    await using harness = await createAssertionHarness({ replayMemory: { claimOnce } })
    await harness.addKey(alice)

    expect(await harness.reasonOf(await signAssertion(alice))).toBe('replay_memory_unavailable')
  })
})

test('who signs with no key of the client learns nothing of it', async () => {
  // Attack: finding out which agents there are, which are active, and which have keys.
  await using harness = await createAssertionHarness()
  const { agents } = harness.storage
  const ask = async (clientId: string, claims: Record<string, unknown> = {}) => {
    harness.calls.length = 0
    const assertion = await signAssertion(mallory, { iss: clientId, sub: clientId, ...claims })
    const result = await harness.verifier.verify({ assertion, clientId })
    if (result.ok) throw new Error('accepted')
    const { code, headers, message, status } = toClientAssertionError(result.refusal)
    const calls = harness.calls.map((call) => call.replace(clientId, '…'))
    return { answer: { code, headers, message, status }, calls, reason: result.refusal.reason }
  }
  const unknown = await ask('agent-nobody')
  const keyless = await ask('agent-alice')
  await harness.addKey(alice)
  const wrongKey = await ask('agent-alice', { aud: 'https://evil.example', exp: 0 })
  await agents.update(ALICE, { jwksUri: 'https://alice.example/' })
  const { id } = await harness.addKey(alice)
  await harness.storage.clientKeys.deactivate({ id, within: EVERY_OWNER }, now)
  await agents.deactivate(ALICE, now)
  const inactive = await ask('agent-alice')

  expect([unknown.reason, keyless.reason, wrongKey.reason, inactive.reason]).toEqual([
    'assertion_client_unknown',
    'assertion_key_unknown',
    'assertion_signature_invalid',
    'assertion_agent_inactive',
  ])
  for (const other of [keyless, wrongKey, inactive]) {
    expect(other.answer).toEqual(unknown.answer)
    expect(other.calls).toEqual(unknown.calls)
  }
})

test('keys that cannot be fetched are told to the operator, and to the client like an unknown one', async () => {
  await using harness = await createAssertionHarness()
  const jwksUri = 'https://alice.example/jwks'
  await harness.storage.agents.update(ALICE, { jwksUri })

  const assertion = await signAssertion(alice)
  const result = await harness.verifier.verify({ assertion, clientId: undefined })

  expect(result).toEqual({
    ok: false,
    refusal: { reason: 'assertion_keys_unavailable', detail: 'gone' },
  })
})

const detail = 'for the operator only'
test.each<[ClientAssertionRefusal, string, number]>([
  [{ reason: 'assertion_malformed', detail: 'its form' }, 'invalid_client', 401],
  [{ reason: 'assertion_algorithm_not_allowed', algorithms: [] }, 'invalid_client', 401],
  [{ reason: 'assertion_client_mismatch' }, 'invalid_client', 401],
  [{ reason: 'assertion_client_unknown' }, 'invalid_client', 401],
  [{ reason: 'assertion_agent_inactive' }, 'invalid_client', 401],
  [{ reason: 'assertion_key_unknown' }, 'invalid_client', 401],
  [{ reason: 'assertion_keys_unavailable', detail }, 'invalid_client', 401],
  [{ reason: 'assertion_signature_invalid' }, 'invalid_client', 401],
  [{ reason: 'assertion_audience_invalid', expected: ASSERTION_ISSUER }, 'invalid_client', 401],
  [{ reason: 'assertion_expired' }, 'invalid_client', 401],
  [{ reason: 'assertion_life_too_long', maxLifeSeconds: 600 }, 'invalid_client', 401],
  [{ reason: 'assertion_not_yet_valid' }, 'invalid_client', 401],
  [{ reason: 'assertion_replayed' }, 'invalid_client', 401],
  [{ reason: 'replay_memory_unavailable', detail }, 'temporarily_unavailable', 503],
])('$reason is told as %s with %i', (refusal, code, status) => {
  const error = toClientAssertionError(refusal)

  expect(error).toMatchObject({ code, status, reason: refusal.reason })
  expect(error.message).not.toContain(detail)
})
