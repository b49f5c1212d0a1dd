import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../test/support/settable-clock.ts'
import type { AccessToken } from './access-token.ts'
import { createTokenManager } from './token-manager.ts'

/** A manager whose requests a test answers by hand, or which are answered at once. */
function createHarness(options: { readonly lifeSeconds?: number; readonly byHand?: boolean } = {}) {
  const { byHand = false, lifeSeconds = 900 } = options
  const clock = createSettableClock()
  const start = clock.now()
  const pending: PromiseWithResolvers<AccessToken>[] = []
  let isDown = false
  const createToken = (): AccessToken => ({
    value: `token-${String(pending.length)}`,
    scopes: ['billing:read'],
    requestedAt: clock.now(),
    expiresAt: clock.now() + lifeSeconds,
  })
  const manager = createTokenManager({
    clock,
    requestToken: async () => {
      const request = Promise.withResolvers<AccessToken>()
      pending.push(request)
      if (isDown) request.reject(new Error('the authorization server is down'))
      else if (!byHand) request.resolve(createToken())
      return request.promise
    },
  })
  return {
    manager,
    clock,
    /** Moves the clock to so many seconds after the beginning. */
    at: (seconds: number) => {
      clock.set(start + seconds)
    },
    value: async () => (await manager.getToken()).value,
    requests: () => pending.length,
    answer: () => pending.at(-1)?.resolve(createToken()),
    setDown: (down: boolean) => {
      isDown = down
    },
    /** Lets what waits on settled promises run. */
    settle: async () => new Promise((resolve) => setImmediate(resolve)),
  }
}

describe('the first token', () => {
  test('is asked for once, however many callers wait for it', async () => {
    const harness = createHarness({ byHand: true })

    const callers = Array.from({ length: 1000 }, harness.value)
    await harness.settle()
    harness.answer()

    expect(new Set(await Promise.all(callers))).toEqual(new Set(['token-1']))
    expect(harness.requests()).toBe(1)
  })

  test('is not asked for before somebody needs it', () => {
    expect(createHarness().requests()).toBe(0)
  })

  test('that cannot be had is told to everybody who waits, and forgotten', async () => {
    const harness = createHarness()
    harness.setDown(true)
    const results = await Promise.allSettled([harness.value(), harness.value()])

    harness.setDown(false)
    const next = await harness.value()

    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(next).toBe('token-2')
    expect(harness.requests()).toBe(2)
  })
})

describe('renewal', () => {
  test('begins 60 seconds before the end and not earlier', async () => {
    const harness = createHarness()
    await harness.value()

    harness.at(839)
    await harness.value()
    const before = harness.requests()
    harness.at(840)
    await harness.value()

    expect([before, harness.requests()]).toEqual([1, 2])
  })

  test('makes nobody wait: the old token serves until the new one is here', async () => {
    const harness = createHarness({ byHand: true })
    const first = harness.value()
    harness.answer()
    await first
    harness.at(840)

    const during = await Promise.all(Array.from({ length: 100 }, harness.value))
    const requests = harness.requests()
    harness.answer()
    await harness.settle()

    expect(new Set(during)).toEqual(new Set(['token-1']))
    expect(requests).toBe(2)
    expect(await harness.value()).toBe('token-2')
  })

  test.each([
    [60, 29, 1],
    [60, 30, 2],
    [10, 4, 1],
    [10, 5, 2],
    // 60 seconds are less than half the life from 120 seconds on.
    [121, 60, 1],
    [121, 61, 2],
  ])(
    'of a token of %i seconds: after %i seconds there were %i requests',
    async (lifeSeconds, seconds, requests) => {
      const harness = createHarness({ lifeSeconds })
      await harness.value()

      harness.at(seconds)
      await harness.value()

      expect(harness.requests()).toBe(requests)
    },
  )

  test('that fails is nobody’s problem while the old token lives, and is tried every 5 seconds', async () => {
    const harness = createHarness()
    await harness.value()
    harness.setDown(true)
    const seen: [number, string, number][] = []

    for (const seconds of [840, 841, 844, 845, 899]) {
      harness.at(seconds)
      const value = await harness.value()
      await harness.settle()
      seen.push([seconds, value, harness.requests()])
    }

    expect(seen).toEqual([
      [840, 'token-1', 2],
      [841, 'token-1', 2],
      [844, 'token-1', 2],
      [845, 'token-1', 3],
      [899, 'token-1', 4],
    ])
  })

  test('works again as soon as the authorization server does', async () => {
    const harness = createHarness()
    await harness.value()
    harness.setDown(true)
    harness.at(840)
    await harness.value()
    await harness.settle()

    harness.setDown(false)
    harness.at(845)
    await harness.value()
    await harness.settle()

    expect(await harness.value()).toBe('token-3')
  })
})

describe('a token that has ended', () => {
  test('is not handed out, at the very second', async () => {
    const harness = createHarness()
    await harness.value()

    harness.at(900)

    expect(await harness.value()).toBe('token-2')
  })

  test('makes the caller wait, and tells it what is wrong', async () => {
    const harness = createHarness()
    await harness.value()
    harness.setDown(true)
    harness.at(900)

    await expect(harness.value()).rejects.toThrow('the authorization server is down')
  })

  test('is asked for at once, even just after a renewal failed', async () => {
    const harness = createHarness()
    await harness.value()
    harness.setDown(true)
    harness.at(899)
    await harness.value()
    await harness.settle()
    harness.setDown(false)

    harness.at(900)

    expect(await harness.value()).toBe('token-3')
  })
})

describe('discard', () => {
  test('drops the token that was refused', async () => {
    const harness = createHarness()
    const refused = await harness.manager.getToken()

    harness.manager.discard(refused)

    expect(await harness.value()).toBe('token-2')
  })

  test('leaves a newer token alone', async () => {
    // A call that was refused late must not cost everybody the token that others fetched meanwhile.
    const harness = createHarness()
    const refused = await harness.manager.getToken()
    harness.manager.discard(refused)
    await harness.value()

    harness.manager.discard(refused)

    expect(await harness.value()).toBe('token-2')
    expect(harness.requests()).toBe(2)
  })
})
