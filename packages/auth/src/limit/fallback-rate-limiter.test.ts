import { expect, test } from 'vitest'
import { createFallbackRateLimiter } from './fallback-rate-limiter.ts'
import { createMemoryRateLimiter } from './memory-rate-limiter.ts'
import type { RateLimiter } from './rate-limit.ts'

const request = { key: 'alice', tier: 'standard', limit: { burst: 2, perMinute: 1 } }

function setUp() {
  let now = 0
  let isGone = false
  let asked = 0
  const clock = { now: () => now }
  const store = createMemoryRateLimiter({ clock })
  const shared: RateLimiter = {
    async consume(one) {
      asked += 1
      if (isGone) throw new Error('connection refused')
      return store.consume(one)
    },
  }
  const changes: boolean[] = []
  const limiter = createFallbackRateLimiter({
    shared,
    local: createMemoryRateLimiter({ clock }),
    onChange: (isShared) => changes.push(isShared),
    clock,
  })
  return {
    limiter,
    changes,
    asked: () => asked,
    advance: () => (now += 1),
    setGone: (gone: boolean) => (isGone = gone),
    call: async () => (await limiter.consume(request)).ok,
  }
}

test('goes on limiting by itself while the shared store is gone, and comes back to it', async () => {
  const world = setUp()
  await world.call()
  world.setGone(true)

  const alone = [await world.call(), await world.call(), await world.call()]
  world.setGone(false)
  world.advance()
  const together = [await world.call(), await world.call()]

  expect(alone).toEqual([true, true, false])
  // One of the two was taken before: the shared count was not lost.
  expect(together).toEqual([true, false])
  expect(world.changes).toEqual([false, true])
})

test('does not let each call wait for a store that is gone', async () => {
  const world = setUp()
  world.setGone(true)

  for (let time = 0; time < 10; time += 1) await world.call()
  const within = world.asked()
  world.advance()
  await world.call()

  expect([within, world.asked()]).toEqual([1, 2])
})
