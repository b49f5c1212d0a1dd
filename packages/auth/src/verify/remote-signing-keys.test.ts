import { setImmediate } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import {
  createFakeIssuer,
  createSigningPair,
  goodClaims,
  ISSUER,
  signToken,
  type FakeIssuer,
  type SigningPair,
} from '../../../../test/support/test-issuer.ts'
import { createAccessTokenVerifier } from './access-token-verifier.ts'
import { createRemoteSigningKeySource } from './remote-signing-keys.ts'

const clock = createSettableClock()
let first: SigningPair
let second: SigningPair

beforeAll(async () => {
  first = await createSigningPair('key-1')
  second = await createSigningPair('key-2')
})

function createVerification(issuer: FakeIssuer, cooldownSeconds: number) {
  const keys = createRemoteSigningKeySource(ISSUER, { fetch: issuer.fetch, cooldownSeconds, clock })
  const verifier = createAccessTokenVerifier({
    issuer: ISSUER,
    audience: 'agent-billing-v2',
    keys,
    clock,
  })
  const verify = async (pair: SigningPair): Promise<string> => {
    const result = await verifier.verify(await signToken(pair, goodClaims(clock.now())))
    return result.ok ? 'accepted' : result.refusal.reason
  }
  return { keys, verify }
}

function createVerifier(issuer: FakeIssuer, cooldownSeconds = 0) {
  return createVerification(issuer, cooldownSeconds).verify
}

describe('the keys of a remote issuer', () => {
  test('are fetched once for any number of callers', async () => {
    const issuer = createFakeIssuer([first.publicJwk])
    const verify = createVerifier(issuer)

    const results = await Promise.all(Array.from({ length: 50 }, async () => verify(first)))

    expect(new Set(results)).toEqual(new Set(['accepted']))
    expect(issuer.requests).toEqual(['/.well-known/oauth-authorization-server', '/jwks'])
  })

  test('are fetched again for a key id that is new', async () => {
    const issuer = createFakeIssuer([first.publicJwk])
    const verify = createVerifier(issuer)
    await verify(first)

    issuer.keys = [second.publicJwk, first.publicJwk]

    expect([await verify(second), await verify(first)]).toEqual(['accepted', 'accepted'])
  })

  test('are not fetched again and again for key ids that are made up', async () => {
    // Attack: a flood of tokens with random key ids, to make the agent flood its issuer.
    const issuer = createFakeIssuer([first.publicJwk])
    const verify = createVerifier(issuer, 30)
    await verify(first)

    const results = await Promise.all(Array.from({ length: 20 }, async () => verify(second)))
    results.push(await verify(second))

    expect(new Set(results)).toEqual(new Set(['token_signature_invalid']))
    // One look for all of them, and none again for the same key id.
    expect(issuer.requests).toHaveLength(3)
  })

  test('are fetched three times at once, and then once in a cool-down, for a flood of key ids', async () => {
    // Attack: a new key id in each token, so that each may be one that the issuer has just begun to use.
    const issuer = createFakeIssuer([first.publicJwk])
    const verify = createVerifier(issuer, 30)
    await verify(first)
    const flood = async (name: string) => {
      for (let at = 0; at < 20; at += 1) {
        await verify({ ...second, kid: `${name}-${String(at)}` })
      }
    }

    await flood('a')
    const atOnce = issuer.requests.length
    clock.advance(30)
    await flood('b')

    expect([atOnce, issuer.requests.length]).toEqual([2 + 3, 2 + 4])
    expect(await verify(first)).toBe('accepted')
  })

  test('are fetched when the issuer says that they changed, also while a flood of key ids lasts', async () => {
    // Attack: made-up key ids use up what may be looked for, and tokens of a key that signs from one moment to the next are
    // refused for as long as the flood lasts.
    const issuer = createFakeIssuer([first.publicJwk])
    const { keys, verify } = createVerification(issuer, 30)
    await verify(first)
    for (let at = 0; at < 20; at += 1) await verify({ ...second, kid: `made-up-${String(at)}` })
    issuer.keys = [second.publicJwk]
    expect(await verify(second)).toBe('token_signature_invalid')

    keys.refetch()

    expect([await verify(second), await verify(first)]).toEqual([
      'accepted',
      'token_signature_invalid',
    ])
  })

  test('are fetched once more when they changed while a fetch was on its way', async () => {
    const issuer = createFakeIssuer([first.publicJwk])
    const { keys, verify } = createVerification(issuer, 30)
    keys.prefetch()
    keys.refetch()

    expect(await verify(first)).toBe('accepted')
    await expect.poll(() => issuer.requests.filter((path) => path === '/jwks')).toHaveLength(2)
  })

  test('stay as they are when they cannot be fetched though they changed', async () => {
    const issuer = createFakeIssuer([first.publicJwk])
    const { keys, verify } = createVerification(issuer, 30)
    await verify(first)
    issuer.isDown = true

    keys.refetch()

    expect(await verify(first)).toBe('accepted')
  })

  test('are fetched at once for a key that the issuer began to use a moment after the last fetch', async () => {
    const issuer = createFakeIssuer([first.publicJwk])
    const verify = createVerifier(issuer, 30)
    await verify(first)

    issuer.keys = [second.publicJwk]

    expect([await verify(second), await verify(first)]).toEqual([
      'accepted',
      'token_signature_invalid',
    ])
  })

  test('are fetched for a key that came while an older fetch was on its way', async () => {
    // The fetch was answered before the key was there; a token of the key must not be judged by it.
    const issuer = createFakeIssuer([first.publicJwk])
    const answered = Promise.withResolvers<void>()
    let isHeld = false
    const fetchWith: typeof fetch = async (...request) => {
      const answer = await issuer.fetch(...request)
      if (isHeld) await answered.promise
      return answer
    }
    const verify = createVerifier({ ...issuer, fetch: fetchWith }, 30)
    await verify(first)
    clock.advance(60)
    isHeld = true
    // Looked after beside their use.
    await verify(first)
    await setImmediate()

    issuer.keys = [second.publicJwk, first.publicJwk]
    const verifying = verify(second)
    await setImmediate()
    isHeld = false
    answered.resolve()

    expect([await verifying, await verify(second)]).toEqual(['accepted', 'accepted'])
  })

  test('that cannot be had are not the fault of the token, and are asked for again', async () => {
    const issuer = createFakeIssuer([first.publicJwk])
    const verify = createVerifier(issuer)
    issuer.isDown = true

    const during = await verify(first)
    issuer.isDown = false
    const after = await verify(first)

    expect([during, after]).toEqual(['verifier_unavailable', 'accepted'])
  })

  test('that may be there and cannot be had are not the fault of the token, however many come', async () => {
    // A key that began to sign just before the issuer went down: whoever is told that its token is bad gives up.
    const issuer = createFakeIssuer([first.publicJwk])
    const verify = createVerifier(issuer, 30)
    await verify(first)
    issuer.keys = [second.publicJwk, first.publicJwk]
    issuer.isDown = true

    const during: string[] = []
    for (let at = 0; at < 5; at += 1) during.push(await verify(second))
    const asked = issuer.requests.length
    issuer.isDown = false
    clock.advance(30)

    expect(new Set(during)).toEqual(new Set(['verifier_unavailable']))
    // The issuer is not asked more often for that.
    expect(asked).toBe(2 + 3)
    expect(await verify(second)).toBe('accepted')
  })

  test('still verify when the issuer goes down after they were fetched', async () => {
    const issuer = createFakeIssuer([first.publicJwk])
    const verify = createVerifier(issuer)
    await verify(first)
    issuer.isDown = true

    expect(await verify(first)).toBe('accepted')
  })

  test('still verify however long the issuer is down', async () => {
    const issuer = createFakeIssuer([first.publicJwk])
    const verify = createVerifier(issuer, 30)
    await verify(first)
    issuer.isDown = true

    clock.advance(24 * 3600)

    expect([await verify(first), await verify(first)]).toEqual(['accepted', 'accepted'])
    // One attempt to hear of the keys, and none again so soon.
    expect(issuer.requests).toHaveLength(3)
  })

  test('are fetched again beside their use, so that one that was thrown away leaves', async () => {
    // Attack: a signing key was stolen, and its owner has thrown it away; the thief goes on to sign.
    const issuer = createFakeIssuer([first.publicJwk])
    const verify = createVerifier(issuer, 30)
    await verify(first)
    issuer.keys = [second.publicJwk]

    clock.advance(60)
    const atFirst = await verify(first)
    const then = await verify(first)

    expect([atFirst, then]).toEqual(['accepted', 'token_signature_invalid'])
  })

  test('that were not looked at for long are fetched before they are used', async () => {
    const issuer = createFakeIssuer([first.publicJwk])
    const verify = createVerifier(issuer, 30)
    await verify(first)
    issuer.keys = [second.publicJwk]

    clock.advance(120)

    expect(await verify(first)).toBe('token_signature_invalid')
  })

  test('are fetched once however many callers come with keys that are not looked at for long', async () => {
    const issuer = createFakeIssuer([first.publicJwk])
    const verify = createVerifier(issuer, 30)
    await verify(first)
    issuer.keys = [second.publicJwk]
    clock.advance(120)

    const results = await Promise.all(Array.from({ length: 20 }, async () => verify(first)))

    expect(new Set(results)).toEqual(new Set(['token_signature_invalid']))
    // And one look more for those that came after: the key that they want is unknown by then.
    expect(issuer.requests.length).toBeLessThanOrEqual(4)
  })

  test.each([['nonsense'], [{}], [{ keys: 'none' }], [{ keys: [7] }]])(
    'stay as they are when the issuer answers %j',
    async (answer) => {
      const issuer = createFakeIssuer([first.publicJwk])
      const fetchWith: typeof fetch = async (input, init) =>
        isBroken && input === `${ISSUER}/jwks` ? Response.json(answer) : issuer.fetch(input, init)
      let isBroken = false
      const verify = createVerifier({ ...issuer, fetch: fetchWith })
      await verify(first)

      isBroken = true
      clock.advance(120)

      expect(await verify(first)).toBe('accepted')
    },
  )

  test('are not taken from metadata that names another issuer', async () => {
    // Attack: mix-up. Whoever can answer at the metadata URL must not choose the issuer (RFC 8414 §3.3).
    const issuer = createFakeIssuer([first.publicJwk])
    issuer.metadata = { issuer: 'https://evil.example' }

    expect(await createVerifier(issuer)(first)).toBe('verifier_unavailable')
    expect(issuer.requests).not.toContain('/jwks')
  })

  test.each([{ jwks_uri: 'not a url' }, { jwks_uri: undefined }])(
    'are not taken from metadata without a usable jwks_uri: %j',
    async (metadata) => {
      const issuer = createFakeIssuer([first.publicJwk])
      issuer.metadata = metadata

      expect(await createVerifier(issuer)(first)).toBe('verifier_unavailable')
    },
  )
})
