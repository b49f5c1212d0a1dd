import { describe, expect, test } from 'vitest'
import { createFailureGuard, type Failure } from './failure-guard.ts'
import { createMemoryRateLimiter } from './memory-rate-limiter.ts'

function setUp() {
  const guard = createFailureGuard(createMemoryRateLimiter({ clock: { now: () => 0 } }), 'test')
  const fail = async (times: number, failure: (time: number) => Failure): Promise<number> => {
    let refused = 0
    for (let time = 0; time < times; time += 1) {
      if ((await guard(failure(time))) !== undefined) refused += 1
    }
    return refused
  }
  return { fail, guard }
}

describe('failures to authenticate', () => {
  test('are slowed down after ten in the name of one client from one address', async () => {
    const { fail, guard } = setUp()

    const refused = await fail(12, () => ({ clientId: 'agent-alice', address: '192.0.2.1' }))

    expect(refused).toBe(2)
    expect(await guard({ clientId: 'agent-alice', address: '192.0.2.1' })).toMatchObject({
      reason: 'rate_limited',
      retryAfterSeconds: 6,
    })
  })

  test('are slowed down after a hundred from one address, whoever is named', async () => {
    // Attack: each guess is made in another name.
    const { fail } = setUp()

    const refused = await fail(103, (time) => ({
      clientId: `agent-${String(time)}`,
      address: '192.0.2.1',
    }))

    expect(refused).toBe(3)
  })

  test('from elsewhere do not count against a client', async () => {
    // Attack: Mallory fails in Alice's name until Alice is locked out.
    const { fail, guard } = setUp()
    await fail(50, () => ({ clientId: 'agent-alice', address: '203.0.113.66' }))

    const refusal = await guard({ clientId: 'agent-alice', address: '192.0.2.1' })

    expect(refusal).toBeUndefined()
  })

  test.each([
    ['2001:db8:1:2:aaaa::1', '2001:db8:1:2:bbbb::2', 1],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', 0],
    ['::1', '::2', 1],
  ])('from %s and %s are of one network: %i', async (one, two, refused) => {
    // Attack: a host with a /64 of its own uses another address for each guess.
    const { fail } = setUp()
    await fail(10, () => ({ clientId: 'agent-alice', address: one }))

    expect(await fail(1, () => ({ clientId: 'agent-alice', address: two }))).toBe(refused)
  })
})
