import { setImmediate as nextTurn } from 'node:timers/promises'
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
import { createAccessTokenVerifier, type AccessTokenVerifier } from './access-token-verifier.ts'
import { createRemoteSigningKeySource } from './remote-signing-keys.ts'
import { createVerifiedTokenCache } from './verified-token-cache.ts'

let first: SigningPair
let second: SigningPair

beforeAll(async () => {
  first = await createSigningPair('key-1')
  second = await createSigningPair('key-2')
})

/** A cache over a verifier that counts what it is asked, and can be held. */
function createCache(maxTokens?: number) {
  const clock = createSettableClock()
  const issuer = createFakeIssuer([first.publicJwk])
  const keys = createRemoteSigningKeySource(ISSUER, { fetch: issuer.fetch, clock })
  const verifier = createAccessTokenVerifier({
    issuer: ISSUER,
    audience: 'agent-billing-v2',
    keys,
    clock,
    clockToleranceSeconds: 0,
  })
  let asked = 0
  let hold: Promise<void> | undefined
  const counting: AccessTokenVerifier = {
    ...verifier,
    async verify(token) {
      asked += 1
      const verified = await verifier.verify(token)
      await hold
      return verified
    },
  }
  const cache = createVerifiedTokenCache(counting, { keys, maxTokens })
  return {
    clock,
    issuer,
    asked: () => asked,
    holdUntil: (promise: Promise<void>) => {
      hold = promise
    },
    sign: async (jti: string, pair = first) => signToken(pair, { ...goodClaims(clock.now()), jti }),
    async verify(token: string): Promise<string> {
      const verified = await cache.verify(token)
      return verified.ok ? verified.value.credential.id : verified.refusal.reason
    },
  }
}

describe('a verified token', () => {
  test('is verified once', async () => {
    const cache = createCache()
    const token = await cache.sign('a')

    const results = [await cache.verify(token), await cache.verify(token)]

    expect([results, cache.asked()]).toEqual([['a', 'a'], 1])
  })

  test('is good to the second in which it ends, and not in it', async () => {
    const cache = createCache()
    const token = await cache.sign('a')
    await cache.verify(token)

    cache.clock.advance(899)
    const before = await cache.verify(token)
    cache.clock.advance(1)
    const then = await cache.verify(token)

    expect([before, then]).toEqual(['a', 'token_expired'])
  })

  test('does not stand for one that differs in its last character', async () => {
    // Attack: whatever is a key of the cache must be all of the token, its signature too.
    const cache = createCache()
    const token = await cache.sign('a')
    await cache.verify(token)

    const flipped = token.slice(0, -4) + (token.endsWith('AAAA') ? 'BBBB' : 'AAAA')

    expect(await cache.verify(flipped)).toBe('token_signature_invalid')
  })

  test('is forgotten when the key that signed it leaves', async () => {
    // Attack: a stolen key was thrown away; tokens that the thief signed must not live on in a cache.
    const cache = createCache()
    const token = await cache.sign('a')
    await cache.verify(token)
    cache.issuer.keys = [second.publicJwk]

    cache.clock.advance(120)

    expect(await cache.verify(token)).toBe('token_signature_invalid')
  })

  test('is not remembered when its key leaves while it is being verified', async () => {
    const cache = createCache()
    await cache.verify(await cache.sign('warm'))
    const released = Promise.withResolvers<void>()
    cache.holdUntil(released.promise)
    const token = await cache.sign('a')
    const early = cache.verify(token)
    cache.issuer.keys = [second.publicJwk]
    cache.clock.advance(120)
    const other = cache.verify(await cache.sign('b'))
    await new Promise((resolve) => setImmediate(resolve))

    released.resolve()
    await Promise.all([early, other])

    expect(await cache.verify(token)).toBe('token_signature_invalid')
  })

  test('stays while keys only come', async () => {
    const cache = createCache()
    const token = await cache.sign('a')
    await cache.verify(token)
    cache.issuer.keys = [first.publicJwk, second.publicJwk]

    cache.clock.advance(120)

    expect([await cache.verify(token), cache.asked()]).toEqual(['a', 1])
  })
})

describe('a token that many present at once', () => {
  test('is verified once, for all of them', async () => {
    const cache = createCache()
    const token = await cache.sign('a')

    const results = await Promise.all(Array.from({ length: 50 }, async () => cache.verify(token)))

    expect([new Set(results), cache.asked()]).toEqual([new Set(['a']), 1])
  })

  test('is refused to all of them at one price, and asked about again later', async () => {
    const cache = createCache()
    const token = await cache.sign('bad', second)

    const results = await Promise.all(Array.from({ length: 50 }, async () => cache.verify(token)))
    const askedOnce = cache.asked()
    await cache.verify(token)

    expect(new Set(results)).toEqual(new Set(['token_signature_invalid']))
    expect([askedOnce, cache.asked()]).toEqual([1, 2])
  })

  test('has ended for whoever waits for it when it has', async () => {
    // Attack: the time was looked at when the verification began, which was held up.
    const cache = createCache()
    const token = await cache.sign('a')
    const released = Promise.withResolvers<void>()
    cache.holdUntil(released.promise)
    const early = cache.verify(token)
    await nextTurn()
    cache.clock.advance(900)
    const late = cache.verify(token)
    await nextTurn()

    released.resolve()

    expect(await Promise.all([early, late])).toEqual(['token_expired', 'token_expired'])
  })

  test('is not vouched for by a verification that began before its key left', async () => {
    // Attack: a stolen key was thrown away; whoever comes after that must not be let in by what began before.
    const cache = createCache()
    await cache.verify(await cache.sign('warm'))
    const released = Promise.withResolvers<void>()
    cache.holdUntil(released.promise)
    const token = await cache.sign('a')
    const early = cache.verify(token)
    await nextTurn()
    cache.issuer.keys = [second.publicJwk]
    cache.clock.advance(120)
    const late = cache.verify(token)
    await nextTurn()

    released.resolve()

    expect([await early, await late]).toEqual(['a', 'token_signature_invalid'])
  })
})

test('bad tokens in any number, all at once, neither hold up a good one nor stay', async () => {
  // Attack: the same flood, while none of it is answered yet.
  const cache = createCache(2)
  const good = await cache.sign('good')
  await cache.verify(good)
  const released = Promise.withResolvers<void>()
  cache.holdUntil(released.promise)
  const [head = '', body = ''] = (await cache.sign('bad')).split('.')
  const toBad = (index: number): string => `${head}.${body}.${String(index).padStart(86, 'A')}`
  const flood = Array.from({ length: 3000 }, async (_, index) => cache.verify(toBad(index)))
  await nextTurn()
  const askedBefore = cache.asked()

  expect([await cache.verify(good), cache.asked() - askedBefore]).toEqual(['good', 0])

  released.resolve()
  expect(new Set(await Promise.all(flood))).toEqual(new Set(['token_signature_invalid']))
  expect([await cache.verify(toBad(0)), cache.asked()]).toEqual(['token_signature_invalid', 3002])
  expect([await cache.verify(good), cache.asked()]).toEqual(['good', 3002])
})

test('bad tokens drive no good one out and are not remembered', async () => {
  // Attack: a flood of tokens that differ, to push out what was verified, or to fill the memory.
  const cache = createCache(2)
  const good = await cache.sign('good')
  await cache.verify(good)
  const foreign = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => cache.sign(`bad-${String(index)}`, second)),
  )

  for (const token of foreign) await cache.verify(token)
  const askedBefore = cache.asked()
  const result = await cache.verify(good)

  expect([result, cache.asked() - askedBefore]).toEqual(['good', 0])
})

test('of more tokens than fit, the one that was used longest ago makes room', async () => {
  const cache = createCache(2)
  const [a, b, c] = [await cache.sign('a'), await cache.sign('b'), await cache.sign('c')]
  for (const token of [a, b, a, c]) await cache.verify(token)
  const askedBefore = cache.asked()

  await cache.verify(a)
  const kept = cache.asked() - askedBefore
  await cache.verify(b)

  expect([kept, cache.asked() - askedBefore]).toEqual([0, 1])
})
