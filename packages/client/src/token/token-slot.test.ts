import { describe, expect, test } from 'vitest'
import { createTimedClock } from '../../../../test/support/settable-clock.ts'
import { ClientError } from '../error/client-error.ts'
import { AccessToken } from './access-token.ts'
import { createTokenSlot } from './token-slot.ts'

/** A manager whose requests a test answers by hand, or which are answered at once. */
function createHarness(
  options: {
    readonly lifeSeconds?: number
    /** After so many seconds no token is good any more. */
    readonly grantSeconds?: number
    readonly byHand?: boolean
    readonly random?: number
    readonly error?: Error
  } = {},
) {
  const { byHand = false, grantSeconds = Infinity, lifeSeconds = 900, random = 0 } = options
  const { error = new Error('the authorization server is down') } = options
  const clock = createTimedClock()
  const start = clock.now()
  const pending: PromiseWithResolvers<AccessToken>[] = []
  let isDown = false
  const createToken = async (): Promise<AccessToken> =>
    AccessToken.create(`token-${String(pending.length)}`, {
      type: 'Bearer',
      scopes: ['billing:read'],
      requestedAt: clock.now(),
      expiresAt: Math.min(clock.now() + lifeSeconds, start + grantSeconds),
    })
  const slot = createTokenSlot({
    clock,
    random: () => random,
    requestToken: async () => {
      const request = Promise.withResolvers<AccessToken>()
      pending.push(request)
      if (isDown) request.reject(error)
      else if (!byHand) request.resolve(createToken())
      return request.promise
    },
  })
  return {
    slot,
    clock,
    /** Moves the clock to so many seconds after the beginning. */
    at: (seconds: number) => {
      clock.set(start + seconds)
    },
    value: async () => (await slot.getToken()).reveal(),
    requests: () => pending.length,
    answer: async () => pending.at(-1)?.resolve(await createToken()),
    setDown: (down: boolean) => {
      isDown = down
    },
    /** Waits for the answers that come by themselves, and lets what waits on them run. */
    settle: async () => {
      if (!byHand) await Promise.allSettled(pending.map(async ({ promise }) => promise))
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    },
  }
}

describe('the first token', () => {
  test('is asked for once, however many callers wait for it', async () => {
    const harness = createHarness({ byHand: true })

    const callers = Array.from({ length: 1000 }, harness.value)
    await harness.settle()
    await harness.answer()

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
    await harness.answer()
    await first
    harness.at(840)

    const during = await Promise.all(Array.from({ length: 100 }, harness.value))
    const requests = harness.requests()
    await harness.answer()
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

  test('that fails is nobody’s problem while the old token lives, and is tried less and less often', async () => {
    const harness = createHarness({ random: 1 })
    await harness.value()
    harness.setDown(true)
    const seen: [number, string, number][] = []

    for (const seconds of [780, 784, 785, 794, 795, 814, 815, 899]) {
      harness.at(seconds)
      const value = await harness.value()
      await harness.settle()
      seen.push([seconds, value, harness.requests()])
    }

    // 5, 10, 20 and 40 seconds after one another, at most.
    expect(seen).toEqual([
      [780, 'token-1', 2],
      [784, 'token-1', 2],
      [785, 'token-1', 3],
      [794, 'token-1', 3],
      [795, 'token-1', 4],
      [814, 'token-1', 4],
      [815, 'token-1', 5],
      [899, 'token-1', 6],
    ])
  })

  test('begins up to 60 seconds earlier than it must, so that agents do not ask together', async () => {
    const harness = createHarness({ random: 0.5 })
    await harness.value()

    harness.at(809)
    await harness.value()
    const before = harness.requests()
    harness.at(810)
    await harness.value()

    expect([before, harness.requests()]).toEqual([1, 2])
  })

  test('is not tried before the server said (Retry-After)', async () => {
    const error = new ClientError({
      code: 'token_unavailable',
      message: 'busy',
      retryAfterSeconds: 40,
    })
    const harness = createHarness({ error })
    await harness.value()
    harness.setDown(true)
    const seen: number[] = []

    for (const seconds of [840, 879, 880]) {
      harness.at(seconds)
      await harness.value()
      await harness.settle()
      seen.push(harness.requests())
    }

    expect(seen).toEqual([2, 2, 3])
  })

  test('of the last tokens of a grant, each shorter than the one before, comes to an end', async () => {
    // Attack prevented on oneself: a token for a second is due in the moment in which it is here.
    const harness = createHarness({ grantSeconds: 900 })
    await harness.value()
    const unwatch = harness.slot.watch(() => undefined)

    for (let seconds = 780; seconds < 900; seconds += 1) {
      harness.at(seconds)
      for (let call = 0; call < 10; call += 1) {
        await harness.value()
        await harness.settle()
      }
    }

    // After 840, 870, 885, 892 and 897 seconds; the token of then serves until it ends.
    expect(harness.requests()).toBe(1 + 5)
    unwatch()
  })

  test('of a token of which nobody says how long it lives is left to whoever needs the next one', async () => {
    const harness = createHarness({ lifeSeconds: 0 })
    await harness.value()

    const unwatch = harness.slot.watch(() => undefined)
    for (let round = 0; round < 10; round += 1) {
      harness.at(round)
      await harness.settle()
    }

    expect(harness.requests()).toBe(1)
    unwatch()
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

  test('is not asked for before the server said (Retry-After): everybody hears of it at once', async () => {
    const error = new ClientError({
      code: 'token_unavailable',
      message: 'busy',
      retryAfterSeconds: 40,
    })
    const harness = createHarness({ error })
    harness.setDown(true)
    await harness.value().catch(() => undefined)

    harness.at(39)
    const refused = await harness.value().catch((cause: unknown) => cause)
    harness.setDown(false)
    harness.at(40)

    expect(refused).toBe(error)
    expect(await harness.value()).toBe('token-2')
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
    const refused = await harness.slot.getToken()

    harness.slot.discard(refused)

    expect(await harness.value()).toBe('token-2')
  })

  test('leaves a newer token alone', async () => {
    // A call that was refused late must not cost everybody the token that others fetched meanwhile.
    const harness = createHarness()
    const refused = await harness.slot.getToken()
    harness.slot.discard(refused)
    await harness.value()

    harness.slot.discard(refused)

    expect(await harness.value()).toBe('token-2')
    expect(harness.requests()).toBe(2)
  })

  test('keeps the fresh token of an agent that refuses that one too', async () => {
    // Otherwise every call to an agent that does not know the newest key yet would cost a token.
    const harness = createHarness()
    harness.slot.discard(await harness.slot.getToken())
    const fresh = await harness.slot.getToken()

    const canHelp = harness.slot.discard(fresh)

    expect(canHelp).toBe(false)
    expect(await harness.slot.getToken()).toBe(fresh)
    harness.at(10)
    expect(harness.slot.discard(fresh)).toBe(true)
  })
})
