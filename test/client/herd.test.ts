// A thousand agents whose tokens end at the same moment, on a clock that stands still: how their requests fall on
// the authorization server, and what an outage of it means for their calls.
import { clientSecret, type Authorizer } from '@deputy/client'
import { createFakeTokenEndpoint, tokenAnswer } from '../support/fake-token-endpoint.ts'
import { createTimedClock } from '../support/settable-clock.ts'
import { ISSUER } from '../support/test-issuer.ts'
import { describe, expect, test } from 'vitest'

const AGENTS = 1000
const LIFE_SECONDS = 900

/** Numbers from 0 up to 1 that look random, the same in each run (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Lets everything run that waits for nothing but its turn; hashes are made by threads of their own. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

function createHerd() {
  const clock = createTimedClock()
  const start = clock.now()
  const requestedAt: number[] = []
  let isDown = false
  let issued = 0
  const { fetch } = createFakeTokenEndpoint(() => {
    requestedAt.push(clock.now() - start)
    if (isDown) return new Response('<html>', { status: 503 })
    issued += 1
    return tokenAnswer(`token-${String(issued)}`, { expires_in: LIFE_SECONDS })
  })
  const agents: Authorizer[] = Array.from({ length: AGENTS }, (_, at) =>
    clientSecret({
      issuer: ISSUER,
      clientId: `agent-${String(at)}`,
      clientSecret: 'cs-agent',
      fetch,
      clock,
      random: createRandom(at),
    })({ audience: 'agent-billing-v2', scopes: ['billing:read'] }),
  )
  let failed = 0
  return {
    start,
    clock,
    requestedAt,
    failed: () => failed,
    issued: () => issued,
    setDown: (down: boolean) => {
      isDown = down
    },
    /** Every agent calls once. */
    async callAll() {
      const calls = agents.map(async (agent) => agent.authorize())
      await settle()
      for (const { status } of await Promise.allSettled(calls))
        if (status === 'rejected') failed += 1
    },
    /** Every agent calls once in each second, up to that one. */
    async callUntil(second: number) {
      while (clock.now() - start < second) {
        clock.advance(1)
        await this.callAll()
      }
      await settle()
    },
  }
}

describe('a thousand agents whose tokens end together', () => {
  test('ask for new ones spread over a minute, before the end, and no call waits or fails', async () => {
    const herd = createHerd()
    await herd.callAll()
    expect(herd.requestedAt).toEqual(Array(AGENTS).fill(0))
    herd.clock.set(herd.start + 770)
    herd.requestedAt.length = 0

    await herd.callUntil(LIFE_SECONDS)

    const perSecond = Array.from(
      { length: 130 },
      (_, at) => herd.requestedAt.filter((second) => second === 770 + at).length,
    )
    const busy = perSecond.slice(10, 70)
    expect(herd.failed()).toBe(0)
    expect(herd.requestedAt).toHaveLength(AGENTS)
    // From 120 to 60 seconds before the end, about 17 in each second.
    expect(perSecond.slice(0, 9).concat(perSecond.slice(71))).toEqual(Array(68).fill(0))
    expect(Math.max(...busy)).toBeLessThan(40)
    const tenths = [0, 10, 20, 30, 40, 50].map((from) =>
      busy.slice(from, from + 10).reduce((sum, count) => sum + count, 0),
    )
    for (const count of tenths) expect(Math.abs(count - AGENTS / 6)).toBeLessThan(50)
  })

  test('go on through an outage that begins before their renewal and ends before their tokens do', async () => {
    const herd = createHerd()
    await herd.callAll()
    herd.clock.set(herd.start + 770)
    herd.setDown(true)
    await herd.callUntil(850)
    const duringOutage = herd.requestedAt.length - AGENTS

    herd.setDown(false)
    await herd.callUntil(LIFE_SECONDS + 10)

    expect(herd.failed()).toBe(0)
    expect(herd.issued()).toBe(2 * AGENTS)
    // Each agent tries three times, and then again after 5, 10 and 20 seconds: no more than that.
    expect(duringOutage).toBeLessThan(AGENTS * 15)
  })

  test('fail once their tokens are over, and are well again with the first answer', async () => {
    const herd = createHerd()
    await herd.callAll()
    herd.clock.set(herd.start + 895)
    herd.setDown(true)
    await herd.callUntil(LIFE_SECONDS - 1)
    const before = herd.failed()
    herd.setDown(false)
    herd.clock.advance(120)

    await herd.callAll()

    expect([before, herd.failed()]).toEqual([0, 0])
  })
})
