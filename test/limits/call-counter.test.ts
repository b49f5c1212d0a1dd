import {
  createMemoryCallCounter,
  type CallCounter,
  type CallsAllowed,
  type CallsRefusal,
} from '@deputy/auth'
import { createRedisCallCounter } from '@deputy/serve/redis'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../support/settable-clock.ts'
import { CALL_COUNTER_ADAPTERS } from './call-counters.ts'

const DAY = 24 * 60 * 60

const exhausted = (identifier: string, max: number) => ({
  ok: false,
  refusal: { reason: 'calls_exhausted', identifier, max } satisfies CallsRefusal,
})
const allow = (identifier: string, max: number): CallsAllowed => ({ identifier, max })

describe.each(CALL_COUNTER_ADAPTERS)('CallCounter on $name', (adapter) => {
  test('gives as many calls as the limit says, and then names it', async () => {
    await using harness = await adapter.create()
    const expiresAt = harness.clock.now() + DAY
    const take = async () => harness.counter.take([allow('grant-1', 2)], expiresAt)

    const answers = [await take(), await take(), await take(), await take()]

    expect(answers).toEqual([
      { ok: true, value: undefined },
      { ok: true, value: undefined },
      exhausted('grant-1', 2),
      exhausted('grant-1', 2),
    ])
  })

  test('gives exactly as many to many who ask at once', async () => {
    // Attack: parallel branches below one grant, each with a token of its own, to pass between the check
    // and the count.
    await using harness = await adapter.create()
    const expiresAt = harness.clock.now() + DAY
    const counters = [harness.counter, (await harness.openOther?.()) ?? harness.counter]

    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, at) =>
        (counters[at % 2] ?? harness.counter).take([allow('grant-1', 20)], expiresAt),
      ),
    )

    expect(answers.filter(({ ok }) => ok)).toHaveLength(20)
  })

  test('counts under all the grants of a token or under none', async () => {
    await using harness = await adapter.create()
    const expiresAt = harness.clock.now() + DAY
    const take = async (...calls: CallsAllowed[]) => harness.counter.take(calls, expiresAt)
    await take(allow('inner', 1))

    const refused = [
      await take(allow('outer', 2), allow('inner', 1)),
      await take(allow('inner', 1), allow('outer', 2)),
    ]
    const left = [
      await take(allow('outer', 2)),
      await take(allow('outer', 2)),
      await take(allow('outer', 2)),
    ]

    expect(refused).toEqual([exhausted('inner', 1), exhausted('inner', 1)])
    expect(left.map(({ ok }) => ok)).toEqual([true, true, false])
  })

  test('never overspends and never stands still where branches share grants crosswise', async () => {
    await using harness = await adapter.create()
    const expiresAt = harness.clock.now() + DAY
    const root = allow('root', 30)
    const [a, b] = [allow('a', 20), allow('b', 20)]
    const orders = [
      [root, a, b],
      [b, a, root],
      [a, root],
      [root, b],
    ]

    const answers = await Promise.all(
      Array.from({ length: 80 }, async (_, at) => {
        const calls = orders[at % orders.length] ?? []
        const { ok } = await harness.counter.take(calls, expiresAt)
        return { ok, calls }
      }),
    )

    const used = ({ identifier }: CallsAllowed): number =>
      answers.filter(({ calls, ok }) => ok && calls.some((one) => one.identifier === identifier))
        .length
    expect(used(root)).toBeLessThanOrEqual(30)
    expect(used(a)).toBeLessThanOrEqual(20)
    expect(used(b)).toBeLessThanOrEqual(20)
    // What is left of the one grant that all need is what was not given.
    expect(Math.max(used(root) / 30, used(a) / 20, used(b) / 20)).toBe(1)
  })

  test('keeps grants apart', async () => {
    await using harness = await adapter.create()
    const expiresAt = harness.clock.now() + DAY

    const answers = await Promise.all(
      ['grant-1', 'GRANT-1', 'grant-1 ', 'grant-10'].map(async (identifier) =>
        harness.counter.take([allow(identifier, 1)], expiresAt),
      ),
    )

    expect(answers.every(({ ok }) => ok)).toBe(true)
  })

  test('keeps a count to the last second, and begins anew at its expiry', async () => {
    await using harness = await adapter.create()
    const start = harness.clock.now()
    const take = async () => harness.counter.take([allow('a', 1)], harness.clock.now() + DAY)
    await harness.counter.take([allow('a', 1)], start + 60)

    await harness.advance(59)
    const before = await take()
    await harness.advance(1)
    const at = await take()
    const after = await take()

    expect([before.ok, at.ok, after.ok]).toEqual([false, true, false])
  })

  test('keeps a count for as long as its last call asked for, never shorter', async () => {
    // Attack: a call that comes with a short life, so that what was used is soon forgotten.
    await using harness = await adapter.create()
    const start = harness.clock.now()
    const take = async (expiresAt: number) => harness.counter.take([allow('a', 2)], expiresAt)
    await take(start + 600)
    await take(start + 10)

    await harness.advance(599)
    const before = await take(start + DAY)
    await harness.advance(1)
    const at = await take(start + DAY)

    expect([before.ok, at.ok]).toEqual([false, true])
  })

  test('does not keep a count longer because a call was refused', async () => {
    await using harness = await adapter.create()
    const start = harness.clock.now()
    await harness.counter.take([allow('a', 1)], start + 60)
    await harness.counter.take([allow('a', 1)], start + DAY)

    await harness.advance(60)

    expect((await harness.counter.take([allow('a', 1)], start + DAY)).ok).toBe(true)
  })

  test('never gives a call that would be forgotten at once', async () => {
    // Attack: what is over now would never be counted.
    await using harness = await adapter.create()

    const answer = await harness.counter.take([allow('a', 1)], harness.clock.now())

    expect(answer).toEqual(exhausted('a', 1))
  })

  test('lets pass what no limit speaks of', async () => {
    await using harness = await adapter.create()

    const answer = await harness.counter.take([], harness.clock.now() + DAY)

    expect(answer).toEqual({ ok: true, value: undefined })
  })
})

const SHARED = CALL_COUNTER_ADAPTERS.filter(({ name }) => name !== 'this process')

test.each(SHARED)('a counter on $name remembers what another instance took', async (adapter) => {
  await using harness = await adapter.create()
  const expiresAt = harness.clock.now() + DAY
  await harness.counter.take([allow('a', 1)], expiresAt)

  const other = await harness.openOther?.()

  expect(await other?.take([allow('a', 1)], expiresAt)).toEqual(exhausted('a', 1))
})

test('any sequence of calls below any grants is decided alike everywhere', async () => {
  const call = fc.record({
    identifiers: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
    max: fc.integer({ min: 1, max: 4 }),
    lifeSeconds: fc.integer({ min: 1, max: 50 }),
    advance: fc.integer({ min: 0, max: 20 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 30 }), async (calls) => {
      const outcomes = new Map<string, boolean[]>()
      for (const adapter of CALL_COUNTER_ADAPTERS.filter(({ name }) => name !== 'PostgreSQL')) {
        await using harness = await adapter.create()
        const list: boolean[] = []
        for (const { advance, identifiers, lifeSeconds, max } of calls) {
          await harness.advance(advance)
          const allowed = identifiers.map((identifier) => allow(identifier, max))
          const { ok } = await harness.counter.take(allowed, harness.clock.now() + lifeSeconds)
          list.push(ok)
        }
        outcomes.set(adapter.name, list)
      }
      const [first, ...others] = outcomes.values()
      for (const other of others) expect(other).toEqual(first)
    }),
    { numRuns: 25 },
  )
})

test('the counter of this process rejects further grants when it is full, and forgets none', async () => {
  // Attack: pushing a used-up grant out by a flood of others.
  const clock = createSettableClock()
  const counter = createMemoryCallCounter({ clock, maxGrants: 2 })
  const expiresAt = clock.now() + 60
  await counter.take([allow('used', 1)], expiresAt)
  await counter.take([allow('other', 1)], expiresAt + 1)

  const flood = counter.take([allow('flood', 1)], expiresAt)
  await expect(flood).rejects.toMatchObject({ code: 'call_counter_unavailable' })
  expect(await counter.take([allow('used', 1)], expiresAt)).toEqual(exhausted('used', 1))

  clock.advance(60)
  expect((await counter.take([allow('flood', 1)], expiresAt + 60)).ok).toBe(true)
})

test('a counter whose Redis is gone says that it cannot be asked', async () => {
  const redis = { eval: async () => Promise.reject(new Error('connect ECONNREFUSED')) }
  const clock = createSettableClock()
  const counter: CallCounter = createRedisCallCounter({ redis, agentId: 'agent-a', clock })

  const answer = counter.take([allow('a', 1)], clock.now() + 60)

  await expect(answer).rejects.toMatchObject({ code: 'call_counter_unavailable' })
})
