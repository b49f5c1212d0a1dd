import { describe, expect, test } from 'vitest'
import { createLimitCaller } from './limit-caller.ts'
import { createMemoryRateLimiter } from './memory-rate-limiter.ts'

const tiers = {
  low: { burst: 1, perMinute: 1 },
  standard: { burst: 2, perMinute: 2 },
  unlimited: null,
}

function setUp() {
  const limiter = createMemoryRateLimiter({ clock: { now: () => 0 } })
  const limit = createLimitCaller({ limiter, audience: 'agent-bob', tiers })
  const other = createLimitCaller({ limiter, audience: 'agent-carol', tiers })
  const count = async (agentId: string, rateLimitTier?: string): Promise<number> => {
    let allowed = 0
    while (allowed < 5 && (await limit({ agentId, rateLimitTier })).ok) allowed += 1
    return allowed
  }
  return { count, limit, other }
}

describe('the calls of an agent', () => {
  test.each([
    { tier: 'low', allowed: 1 },
    { tier: 'standard', allowed: 2 },
    { tier: 'unlimited', allowed: 5 },
    { tier: undefined, allowed: 2 },
    { tier: 'no-such-tier', allowed: 2 },
    { tier: 'constructor', allowed: 2 },
  ])('of the tier $tier are $allowed', async ({ allowed, tier }) => {
    const { count } = setUp()

    expect(await count('agent-alice', tier)).toBe(allowed)
  })

  test("do not count against another caller's, nor at another agent", async () => {
    const { count, other } = setUp()
    await count('agent-mallory')

    expect(await count('agent-alice')).toBe(2)
    expect((await other({ agentId: 'agent-mallory' })).ok).toBe(true)
  })
})
