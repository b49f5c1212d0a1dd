// The behaviour that every rate limiter has, on each adapter; and what Redis adds.
import { createMemoryRateLimiter, type RateLimiter } from '@deputy/auth'
import { Redis } from 'ioredis'
import { randomUUID } from 'node:crypto'
import { describe, expect, inject, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { createLogger } from '../logger.ts'
import { openRateLimiter } from './open-rate-limiter.ts'
import { createRedisRateLimiter } from './redis-rate-limiter.ts'

const redisUrl = inject('redisUrl')

async function createOnRedis() {
  const redis = new Redis(redisUrl ?? '')
  const clock = createSettableClock()
  const limiter = createRedisRateLimiter(redis, { clock })
  return { clock, limiter, [Symbol.asyncDispose]: async () => redis.disconnect() }
}

async function createInMemory() {
  const clock = createSettableClock()
  const limiter = createMemoryRateLimiter({ clock })
  return { clock, limiter, [Symbol.asyncDispose]: async () => undefined }
}

/** A caller of its own, since Redis remembers other tests. */
function createCaller(limiter: RateLimiter, burst = 3) {
  const key = randomUUID()
  return async () => limiter.consume({ key, tier: 'standard', limit: { burst, perMinute: 30 } })
}

const ADAPTERS = [
  { name: 'memory', create: createInMemory },
  ...(redisUrl === undefined ? [] : [{ name: 'Redis', create: createOnRedis }]),
]

test.skipIf(redisUrl === undefined)('there is a Redis to test with', () => {
  expect(redisUrl).toBeDefined()
})

describe.each(ADAPTERS)('a rate limiter on $name', ({ create }) => {
  test('lets exactly the burst through of many calls at once', async () => {
    await using world = await create()
    const call = createCaller(world.limiter, 20)

    const decisions = await Promise.all(Array.from({ length: 100 }, call))

    expect(decisions.filter(({ ok }) => ok)).toHaveLength(20)
  })

  test('fills to the exact second', async () => {
    await using world = await create()
    const call = createCaller(world.limiter)
    for (let time = 0; time < 3; time += 1) await call()

    world.clock.advance(1)
    const tooEarly = await call()
    world.clock.advance(1)
    const inTime = await call()

    expect([tooEarly.ok, inTime.ok]).toEqual([false, true])
  })

  test('says the same of its state as every other', async () => {
    await using world = await create()
    const call = createCaller(world.limiter)

    const decisions = [await call(), await call(), await call(), await call()]

    const state = { tier: 'standard', burst: 3, perMinute: 30 }
    expect(decisions).toEqual([
      { ok: true, value: { ...state, remaining: 2, resetSeconds: 2 } },
      { ok: true, value: { ...state, remaining: 1, resetSeconds: 4 } },
      { ok: true, value: { ...state, remaining: 0, resetSeconds: 6 } },
      {
        ok: false,
        refusal: {
          reason: 'rate_limited',
          retryAfterSeconds: 2,
          state: { ...state, remaining: 0, resetSeconds: 6 },
        },
      },
    ])
  })

  test('keeps callers apart', async () => {
    await using world = await create()
    const alice = createCaller(world.limiter)
    const mallory = createCaller(world.limiter)
    for (let time = 0; time < 10; time += 1) await mallory()

    expect((await alice()).ok).toBe(true)
  })
})

test.skipIf(redisUrl === undefined)('instances on one Redis count together', async () => {
  await using one = await createOnRedis()
  await using two = await createOnRedis()
  const request = {
    key: randomUUID(),
    tier: 'standard',
    limit: { burst: 10, perMinute: 1 },
  }

  const decisions = await Promise.all(
    [one, two].flatMap(({ limiter }) =>
      Array.from({ length: 10 }, async () => limiter.consume(request)),
    ),
  )

  expect(decisions.filter(({ ok }) => ok)).toHaveLength(10)
})

test('without a server each instance counts for itself, and no call waits or fails', async () => {
  const lines: string[] = []
  const logger = createLogger({ name: 'test', write: (line) => lines.push(line) })
  await using open = openRateLimiter({ redisUrl: 'redis://127.0.0.1:1', logger })
  const call = createCaller(open.limiter)

  const decisions = [await call(), await call(), await call(), await call()]

  expect(decisions.map(({ ok }) => ok)).toEqual([true, true, true, false])
  expect(lines.filter((line) => line.includes('limits on its own'))).toHaveLength(1)
})
