import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { accept, createAgentSecret, refuse, type IntrospectionResponse } from '../protocol/index.ts'
import { createRevocationView } from '../revocation/revocation-view.ts'
import { createApiKeyVerifier } from './api-key-verifier.ts'
import { createVerifiedKeyCache, type VerifiedKeyCacheSettings } from './verified-key-cache.ts'

const BILLING = 'agent-billing-v2'
const ALICE = 'agent-alice-v1'

type Active = Extract<IntrospectionResponse, { readonly active: true }>

/** A cache over an authorization server that knows some keys, counts what it is asked, and can be held. */
function setUp(settings: VerifiedKeyCacheSettings = {}) {
  const clock = createSettableClock()
  const view = createRevocationView({ clock })
  const keys = new Map<string, Partial<Active>>()
  let asked = 0
  let isReachable = true
  let hold: Promise<void> | undefined
  const verifier = createApiKeyVerifier({
    audience: BILLING,
    async introspect(key) {
      asked += 1
      const found = keys.get(key)
      const isUp = isReachable
      await hold
      if (!isUp) return refuse({ reason: 'verifier_unavailable', detail: 'gone' })
      if (found === undefined) return accept({ active: false })
      return accept({
        active: true,
        token_type: 'api_key',
        iss: 'https://issuer.example',
        sub: ALICE,
        aud: BILLING,
        client_id: ALICE,
        jti: 'key-1',
        scope: 'billing:read',
        iat: 1,
        ...found,
      })
    },
  })
  const cache = createVerifiedKeyCache(verifier, { ...settings, view, clock })
  view.heard()
  return {
    clock,
    view,
    keys,
    asked: () => asked,
    setReachable: (is: boolean) => {
      isReachable = is
    },
    holdUntil: (promise: Promise<void> | undefined) => {
      hold = promise
    },
    /** A key that the authorization server knows. */
    issue(members: Partial<Active> = {}): string {
      const key = createAgentSecret('apiKey')
      keys.set(key, members)
      return key
    },
    async verify(key: string, from?: string): Promise<string> {
      const verified = await cache.verify(key, from === undefined ? undefined : () => from)
      return verified.ok ? verified.value.scopes.join(' ') : verified.refusal.reason
    },
    /** Watches over the caller with a key. */
    async watch(key: string, onChange: () => Promise<void>) {
      const verified = await cache.verify(key)
      if (!verified.ok) throw new Error(verified.refusal.reason)
      return cache.watch?.(verified.value, onChange)
    },
    /** What the feed says. */
    tell(kind: 'grant' | 'agent' | 'change', id: string) {
      view.apply([{ kind, id, expiresAt: clock.now() + 1800 }])
    },
  }
}

describe('a key that is bad', () => {
  test('is asked about each time while the feed is away, which would tell that it became good', async () => {
    const cache = setUp()
    const key = createAgentSecret('apiKey')
    cache.view.lost()

    const before = await cache.verify(key)
    cache.keys.set(key, {})

    expect([before, await cache.verify(key)]).toEqual(['api_key_invalid', 'billing:read'])
  })

  test('that was remembered is asked about again once the feed falls silent', async () => {
    const cache = setUp()
    const key = createAgentSecret('apiKey')
    cache.clock.advance(14)
    const before = await cache.verify(key)

    cache.keys.set(key, {})
    cache.clock.advance(2)

    expect([before, await cache.verify(key)]).toEqual(['api_key_invalid', 'billing:read'])
  })
})

describe('a key that is good', () => {
  test('is asked about once in a minute', async () => {
    const cache = setUp()
    const key = cache.issue()

    const answers = [await cache.verify(key), await cache.verify(key)]
    cache.clock.advance(14)
    cache.view.heard()
    for (let heard = 14; heard < 59; heard += 15) {
      cache.clock.advance(15)
      cache.view.heard()
    }
    answers.push(await cache.verify(key))
    const before = cache.asked()
    cache.clock.advance(1)
    answers.push(await cache.verify(key))

    expect(answers).toEqual(Array(4).fill('billing:read'))
    expect([before, cache.asked()]).toEqual([1, 2])
  })

  test('is asked about once by all who come in one moment', async () => {
    const cache = setUp()
    const key = cache.issue()

    const answers = await Promise.all(Array.from({ length: 100 }, async () => cache.verify(key)))

    expect([new Set(answers), cache.asked()]).toEqual([new Set(['billing:read']), 1])
  })

  test('is asked about each time from a moment before its end on', async () => {
    // The clocks may differ by five seconds: whether it has ended is the authorization server's to say.
    const cache = setUp()
    const key = cache.issue({ exp: cache.clock.now() + 10 })
    await cache.verify(key)

    cache.clock.advance(4)
    await cache.verify(key)
    const before = cache.asked()
    cache.clock.advance(1)
    await cache.verify(key)
    cache.keys.delete(key)

    expect([before, cache.asked(), await cache.verify(key)]).toEqual([1, 2, 'api_key_invalid'])
  })

  test('stands for itself alone', async () => {
    const cache = setUp()
    await cache.verify(cache.issue())

    expect(await cache.verify(createAgentSecret('apiKey'))).toBe('api_key_invalid')
  })

  test('is asked about each time where the operator wants it so', async () => {
    const cache = setUp({ ttlSeconds: 0 })
    const key = cache.issue()

    for (let time = 0; time < 3; time += 1) await cache.verify(key)

    expect(cache.asked()).toBe(3)
  })

  test.each([-1, 301, Number.NaN])('cannot be remembered for %s seconds', (ttlSeconds) => {
    expect(() => setUp({ ttlSeconds })).toThrow(/ttlSeconds must be from 0 to 300/)
  })
})

describe('what the feed says', () => {
  test.each([
    ['the key was ended', 'grant', 'key-1'],
    ['its agent was ended', 'agent', ALICE],
    ['the key was superseded', 'change', 'key-1'],
    ['its agent was changed', 'change', ALICE],
    ['the agent that is called was changed', 'change', BILLING],
  ] as const)('is heeded on the very next call: %s', async (_what, kind, id) => {
    const cache = setUp()
    const key = cache.issue()
    await cache.verify(key)
    cache.keys.delete(key)
    // It is the feed that makes the difference.
    expect(await cache.verify(key)).toBe('billing:read')

    cache.tell(kind, id)

    expect(await cache.verify(key)).toBe('api_key_invalid')
  })

  test('brings new scopes on the very next call', async () => {
    const cache = setUp()
    const key = cache.issue({ scope: 'billing:read billing:write' })
    await cache.verify(key)
    cache.keys.set(key, { scope: 'billing:read' })

    cache.tell('change', ALICE)

    expect(await cache.verify(key)).toBe('billing:read')
  })

  test('of others costs nobody a question', async () => {
    const cache = setUp()
    const key = cache.issue()
    await cache.verify(key)

    cache.tell('grant', 'key-2')
    cache.tell('agent', 'agent-bob-v1')
    cache.tell('change', 'agent-bob-v1')
    await cache.verify(key)

    expect(cache.asked()).toBe(1)
  })

  test.each([
    ['grant', 'api_key_invalid'],
    ['change', 'billing:read'],
  ] as const)('counts more than an answer that was on its way: %s', async (kind, first) => {
    // Attack: the authorization server has said "active", the key is ended, the feed tells it, and only then does the
    // answer arrive. Remembered, it would let the key live on.
    const cache = setUp()
    const key = cache.issue()
    const released = Promise.withResolvers<void>()
    cache.holdUntil(released.promise)
    const early = cache.verify(key)
    await new Promise((resolve) => setImmediate(resolve))
    cache.holdUntil(undefined)
    cache.keys.delete(key)
    cache.tell(kind, 'key-1')

    released.resolve()

    expect(await early).toBe(first)
    expect(await cache.verify(key)).toBe('api_key_invalid')
  })

  test('counts more than an answer on its way for those who come after it, too', async () => {
    // Attack: the call after the event joins the question that was asked before it.
    const cache = setUp()
    const key = cache.issue()
    const released = Promise.withResolvers<void>()
    cache.holdUntil(released.promise)
    const early = cache.verify(key)
    await new Promise((resolve) => setImmediate(resolve))
    cache.holdUntil(undefined)
    cache.keys.delete(key)
    cache.tell('change', ALICE)

    const late = await cache.verify(key)
    released.resolve()
    await early

    expect([late, await cache.verify(key)]).toEqual(['api_key_invalid', 'api_key_invalid'])
  })
})

describe('while the feed is not there', () => {
  test.each([
    ['is lost', ({ view }: ReturnType<typeof setUp>) => view.lost()],
    ['tells everything anew', ({ view }: ReturnType<typeof setUp>) => view.beginSnapshot()],
    ['says nothing', ({ clock }: ReturnType<typeof setUp>) => clock.advance(16)],
  ])('each call is asked about: the feed %s', async (_what, happen) => {
    const cache = setUp()
    const key = cache.issue()
    await cache.verify(key)

    happen(cache)
    await Promise.all([cache.verify(key), cache.verify(key)])
    const during = cache.asked()
    cache.keys.delete(key)

    expect([during, await cache.verify(key)]).toEqual([3, 'api_key_invalid'])
  })

  test('callers get neither access nor a wrong "invalid" when nobody can be asked either', async () => {
    const cache = setUp()
    const key = cache.issue()
    await cache.verify(key)
    cache.view.lost()
    cache.setReachable(false)

    const during = await cache.verify(key)
    cache.setReachable(true)

    expect([during, await cache.verify(key)]).toEqual(['verifier_unavailable', 'billing:read'])
  })

  test('nothing is remembered that would count once the feed is back', async () => {
    const cache = setUp()
    const key = cache.issue()
    await cache.verify(key)
    cache.view.lost()
    await cache.verify(key)
    cache.keys.delete(key)
    cache.view.heard()

    expect(await cache.verify(key)).toBe('api_key_invalid')
  })

  test('an answer that was asked for before the feed was lost does not count after it', async () => {
    const cache = setUp()
    const key = cache.issue()
    const released = Promise.withResolvers<void>()
    cache.holdUntil(released.promise)
    const early = cache.verify(key)
    await new Promise((resolve) => setImmediate(resolve))
    cache.view.lost()
    cache.view.heard()
    cache.keys.delete(key)
    cache.holdUntil(undefined)

    released.resolve()

    expect([await early, await cache.verify(key)]).toEqual(['billing:read', 'api_key_invalid'])
  })
})

describe('keys that do not exist', () => {
  test('are not asked about again for ten seconds, nor for ever', async () => {
    const cache = setUp()
    const key = createAgentSecret('apiKey')

    for (let time = 0; time < 5; time += 1) await cache.verify(key)
    const before = cache.asked()
    cache.clock.advance(10)
    cache.view.heard()
    await cache.verify(key)

    expect([before, cache.asked()]).toEqual([1, 2])
  })

  test('may exist a moment later: a change of an agent lets them be asked about again', async () => {
    const cache = setUp()
    const key = createAgentSecret('apiKey')
    await cache.verify(key)
    cache.keys.set(key, {})

    cache.tell('change', ALICE)

    expect(await cache.verify(key)).toBe('billing:read')
  })

  test('are asked about again where something changed while the answer was on its way', async () => {
    const cache = setUp()
    const key = createAgentSecret('apiKey')
    const released = Promise.withResolvers<void>()
    cache.holdUntil(released.promise)
    const early = cache.verify(key)
    await new Promise((resolve) => setImmediate(resolve))
    cache.keys.set(key, {})
    cache.tell('change', ALICE)
    released.resolve()

    expect([await early, await cache.verify(key)]).toEqual(['api_key_invalid', 'billing:read'])
  })

  test('that are mistyped are nobody’s business', async () => {
    const cache = setUp()

    const answer = await cache.verify(createAgentSecret('apiKey').slice(0, -1))

    expect([answer, cache.asked()]).toEqual(['api_key_malformed', 0])
  })

  test('drive no good one out, and do not fill the memory or flood the authorization server', async () => {
    // Attack: keys of the right form, made up by the thousand.
    const cache = setUp({ maxKeys: 1 })
    const good = cache.issue()
    await cache.verify(good)

    const answers: string[] = []
    for (let count = 0; count < 3000; count += 1) {
      answers.push(await cache.verify(createAgentSecret('apiKey'), '203.0.113.66'))
    }
    const asked = cache.asked()
    const known = await cache.verify(good, '203.0.113.66')

    expect(answers.filter((answer) => answer === 'rate_limited')).toHaveLength(2900)
    expect([asked, known, cache.asked()]).toEqual([101, 'billing:read', 101])
  })

  test('are no reason to turn away a good one that has to be asked about again', async () => {
    // Attack: keys are made up from the address of a proxy that good callers share.
    const cache = setUp()
    const good = cache.issue()
    await cache.verify(good)
    for (let count = 0; count < 150; count += 1) await cache.verify(createAgentSecret('apiKey'))

    cache.tell('change', ALICE)

    expect(await cache.verify(good)).toBe('billing:read')
  })

  test('do not count where they come from elsewhere, and neither do good ones', async () => {
    const cache = setUp()
    for (let count = 0; count < 150; count += 1) {
      await cache.verify(createAgentSecret('apiKey'), '203.0.113.66')
    }

    const elsewhere = await cache.verify(cache.issue(), '192.0.2.1')
    const good: string[] = []
    for (let count = 0; count < 150; count += 1) {
      good.push(await cache.verify(cache.issue({ jti: `key-${String(count)}` }), '192.0.2.1'))
    }

    expect(new Set([elsewhere, ...good])).toEqual(new Set(['billing:read']))
  })

  test('are asked about by 64 at a time, and by no more than wait for that', async () => {
    const cache = setUp()
    const released = Promise.withResolvers<void>()
    cache.holdUntil(released.promise)
    const calls = Array.from({ length: 2000 }, async (_, at) =>
      cache.verify(createAgentSecret('apiKey'), `2001:db8:${at.toString(16)}::1`),
    )
    await new Promise((resolve) => setImmediate(resolve))
    const atOnce = cache.asked()

    released.resolve()
    const answers = await Promise.all(calls)

    const count = (what: string): number => answers.filter((answer) => answer === what).length
    expect(atOnce).toBe(64)
    expect([count('api_key_invalid'), count('verifier_unavailable')]).toEqual([1088, 912])
  })
})

test('of more keys than fit, the one that was used longest ago makes room', async () => {
  const cache = setUp({ maxKeys: 2 })
  const [a, b, c] = ['a', 'b', 'c'].map((jti) => cache.issue({ jti }))
  for (const key of [a, b, a, c]) await cache.verify(key ?? '')
  const before = cache.asked()

  await cache.verify(a ?? '')
  const kept = cache.asked() - before
  await cache.verify(b ?? '')

  expect([kept, cache.asked() - before]).toEqual([0, 1])
})

test('of thousands of streams that are asked about in one moment, few are asked about at once', async () => {
  // Attack: whoever makes an agent lose its feed for a moment has it ask about every stream that it has, and so many
  // questions at once that some are refused, which ends their streams.
  const cache = setUp()
  const key = cache.issue()
  const answers: (() => void)[] = []
  let told = 0
  for (let at = 0; at < 100; at += 1) {
    await cache.watch(key, async () => {
      told += 1
      await new Promise<void>((resolve) => answers.push(resolve))
    })
  }

  cache.view.lost()
  cache.view.heard()
  await nextTurn()
  const atOnce = []
  while (answers.length > 0) {
    atOnce.push(answers.length)
    for (const answer of answers.splice(0)) answer()
    await nextTurn()
  }

  expect(atOnce).toEqual([16, 16, 16, 16, 16, 16, 4])
  expect(told).toBe(100)
})
