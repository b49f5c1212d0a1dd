import { expect, test } from 'vitest'
import { createMemoryRateLimiter } from './memory-rate-limiter.ts'
import type { RateLimiter } from './rate-limit.ts'

async function callAs(limiter: RateLimiter, key: string): Promise<boolean> {
  const limit = { burst: 1, perMinute: 1 }
  return (await limiter.consume({ key, tier: 'standard', limit })).ok
}

test('forgets the caller that has not called for longest, when there are more than fit', async () => {
  // Attack: a stranger comes under ever new names, to fill the memory.
  const limiter = createMemoryRateLimiter({ clock: { now: () => 0 }, maxBuckets: 2 })
  await callAs(limiter, 'alice')
  await callAs(limiter, 'bob')
  await callAs(limiter, 'alice')

  await callAs(limiter, 'carol')

  expect([await callAs(limiter, 'alice'), await callAs(limiter, 'bob')]).toEqual([false, true])
})

test('counts a request that comes again and again, also when it was forgotten between', async () => {
  const limiter = createMemoryRateLimiter({ clock: { now: () => 0 }, maxBuckets: 1 })
  const alice = { key: 'alice', tier: 'standard', limit: { burst: 2, perMinute: 1 } }
  const consume = async () => (await limiter.consume(alice)).ok

  expect([await consume(), await consume(), await consume()]).toEqual([true, true, false])
  await callAs(limiter, 'bob')
  expect([await consume(), await consume(), await consume()]).toEqual([true, true, false])
})
