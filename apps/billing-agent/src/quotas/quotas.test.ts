// What quotas promise, on SQLite and on PostgreSQL alike.
import type { QuotaEvent } from '@deputy/contracts/billing'
import { describe, expect, test } from 'vitest'
import {
  ALICE,
  BOB,
  callBelow,
  callBy,
  callOnBehalf,
  createBillingWorld,
  refusalOf,
} from '../../test-support/billing-world.ts'
import { BILLING_ADAPTERS, type BillingAdapter } from '../../test-support/databases.ts'
import { AUDITOR, quotaInput } from '../../test-support/quota-input.ts'
import { HOLD_TTL_SECONDS } from '../holds/place-hold.ts'

/** 2027-01-31T23:59:59Z. */
const LAST_OF_JANUARY = 1_801_439_999

async function open(adapter: BillingAdapter) {
  await using stack = new AsyncDisposableStack()
  const { location } = stack.use(await adapter.open())
  const world = stack.use(await createBillingWorld(location))
  const other = stack.use(await createBillingWorld(location))
  await world.deposit(ALICE, 100_000)
  await world.deposit(BOB, 100_000)
  const set = async (changes: Parameters<typeof quotaInput>[1] = {}) =>
    world.service.quotas.set(AUDITOR, quotaInput(world.key(), changes))
  const spentOf = async (quotaId: string) => {
    const { current } = await world.service.quotas.get(AUDITOR, { quotaId })
    return [current.held, current.used]
  }
  const events = async (cursor = 0, call = AUDITOR) =>
    world.service.quotas.events(call, { cursor, limit: 100 })
  const resources = stack.move()
  return {
    world,
    other,
    set,
    spentOf,
    events,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

const toShort = ({ periodStart, spent, threshold }: QuotaEvent) => [threshold, spent, periodStart]

describe.each(BILLING_ADAPTERS)('on $name', (adapter) => {
  // Attack: an agent asks at two processes at once, each of which sees what is left and not what the other takes.
  test('overspend: holds that race at two processes never come to more than a quota', async () => {
    await using opened = await open(adapter)
    const { other, set, spentOf, world } = opened
    const quotas = [
      await set({ cap: 110 }),
      await set({ scope: { kind: 'agent', agentId: ALICE }, cap: 95, period: 'day' }),
      await set({ scope: { kind: 'grant', grantId: 'task-1' }, cap: 1000, period: 'total' }),
    ]
    const call = callBelow(['key', 'task-1', 'token'])
    const made = Array.from({ length: 16 }, async () => {
      const input = { service: 'research.brief', units: 2, idempotencyKey: world.key() }
      return world.service.quote(call, input)
    })

    const placed = await Promise.allSettled(
      (await Promise.all(made)).map(async ({ quoteId }, place) =>
        (place % 2 === 0 ? world : other).service.hold(call, {
          quoteId,
          reference: 'job',
          idempotencyKey: `hold-by-place-${String(place)}`,
        }),
      ),
    )

    expect(placed.filter(({ status }) => status === 'fulfilled')).toHaveLength(4)
    const spent = await Promise.all(quotas.map(async ({ quotaId }) => spentOf(quotaId)))
    expect(spent).toEqual([
      [80, 0],
      [80, 0],
      [80, 0],
    ])
    expect(await world.verify()).toEqual([])
  })

  test('an agent is bound as who acts and as whose authority it is, and nobody else by it', async () => {
    await using opened = await open(adapter)
    const { set, spentOf, world } = opened
    const { quotaId } = await set({ scope: { kind: 'agent', agentId: ALICE }, cap: 60 })

    await world.holdBy(callBy(ALICE))
    await world.holdBy(callOnBehalf(ALICE, BOB))
    await world.holdBy(callOnBehalf(BOB, ALICE))
    await world.holdBy(callBy(BOB))
    const beyond = world.holdBy(callOnBehalf(ALICE, BOB))

    expect(await refusalOf(beyond)).toEqual({ reason: 'quota_exceeded', code: 'FORBIDDEN' })
    expect(await spentOf(quotaId)).toEqual([60, 0])
  })

  test('what is captured counts, and the rest, what is released and what expires comes back', async () => {
    await using opened = await open(adapter)
    const { set, spentOf, world } = opened
    const { quotaId } = await set({ cap: 60 })
    const [one, two, three] = [
      await world.hold(ALICE),
      await world.hold(ALICE),
      await world.hold(ALICE),
    ]
    const key = () => ({ idempotencyKey: world.key() })

    await world.service.capture(callBy(ALICE), { holdId: one.holdId, amountMinor: 5, ...key() })
    await world.service.release(callBy(ALICE), { holdId: two.holdId, ...key() })
    const before = await spentOf(quotaId)
    world.clock.advance(HOLD_TTL_SECONDS)
    const expired = await spentOf(quotaId)
    await world.hold(BOB)

    expect([before, expired, await spentOf(quotaId)]).toEqual([
      [20, 5],
      [0, 5],
      [20, 5],
    ])
    const late = world.service.capture(callBy(ALICE), {
      holdId: three.holdId,
      amountMinor: 1,
      ...key(),
    })
    expect(await refusalOf(late)).toMatchObject({ reason: 'hold_expired' })
    expect(await world.verify()).toEqual([])
  })

  test('a month begins anew in its first second, in UTC', async () => {
    await using opened = await open(adapter)
    const { set, world } = opened
    world.clock.set(LAST_OF_JANUARY)
    const { current } = await set({ cap: 20 })
    await world.hold(ALICE)

    expect(current).toMatchObject({ endsAt: LAST_OF_JANUARY + 1 })
    expect(await refusalOf(world.hold(ALICE))).toMatchObject({ reason: 'quota_exceeded' })
    world.clock.advance(1)
    expect(await world.hold(ALICE)).toMatchObject({ state: 'held' })
  })

  test('80 and 100 percent are each told once in a period, however often they are come to', async () => {
    await using opened = await open(adapter)
    const { events, set, world } = opened
    world.clock.set(LAST_OF_JANUARY)
    await set({ cap: 40 })
    const { holdId } = await world.hold(ALICE)
    const none = await events()
    await world.hold(ALICE)
    const all = await events()
    await world.service.release(callBy(ALICE), { holdId, idempotencyKey: world.key() })
    await world.hold(ALICE)
    world.clock.advance(1)
    await world.hold(ALICE)
    await world.hold(ALICE)

    const { startsAt: january } = { startsAt: all.events[0]?.periodStart }
    expect(none).toEqual({ events: [], nextCursor: 0 })
    expect(all.events.map(toShort)).toEqual([
      [80, 40, january],
      [100, 40, january],
    ])
    const next = await events(all.nextCursor)
    expect(next.events.map(toShort)).toEqual([
      [80, 40, LAST_OF_JANUARY + 1],
      [100, 40, LAST_OF_JANUARY + 1],
    ])
    expect(await events(next.nextCursor)).toEqual({ events: [], nextCursor: next.nextCursor })
  })

  test('whoever watches hears of what comes, and goes on where it was before', async () => {
    await using opened = await open(adapter)
    const { set, world } = opened
    await set({ cap: 25 })
    const watch = (lastEventId?: number) => {
      const abort = new AbortController()
      const call = { ...AUDITOR, signal: abort.signal }
      return { abort, events: world.service.quotas.watch(call, { lastEventId }) }
    }
    const first = watch()
    const iterator = first.events[Symbol.asyncIterator]()
    const pending = iterator.next()
    await world.hold(ALICE)
    const heard = await pending
    first.abort.abort()
    const ended = await iterator.next()
    await set({ cap: 20 })

    const again: QuotaEvent[] = []
    const second = watch(heard.done === true ? 0 : heard.value.eventId)
    for await (const event of second.events) {
      again.push(event)
      second.abort.abort()
    }

    expect(heard.value).toMatchObject({ threshold: 80, spent: 20, cap: 25, agentId: ALICE })
    expect(ended).toEqual({ done: true, value: undefined })
    expect(again).toMatchObject([{ threshold: 100, spent: 20, cap: 20, agentId: 'operator' }])
  })

  test('a quota says who set it to what, and lifted it binds nobody but counts on', async () => {
    await using opened = await open(adapter)
    const { set, world } = opened
    const { quotaId } = await set({ cap: 20, reason: 'a trial' })
    await world.hold(ALICE)
    expect(await refusalOf(world.hold(ALICE))).toMatchObject({ reason: 'quota_exceeded' })
    world.clock.advance(60)
    await set({ cap: null, reason: 'they paid' })
    await world.hold(ALICE)

    const quota = await world.service.quotas.get(AUDITOR, { quotaId })

    expect(quota).toMatchObject({ cap: null, version: 2, current: { held: 40, used: 0 } })
    const by = { setBy: 'operator', subject: 'operator', enforcement: 'refuse' }
    expect(quota.versions).toMatchObject([
      { version: 2, cap: null, reason: 'they paid', setAt: world.clock.now(), ...by },
      { version: 1, cap: 20, reason: 'a trial', setAt: world.clock.now() - 60, ...by },
    ])
  })

  test('one that only reports refuses nothing, and one that is set too low refuses what comes', async () => {
    await using opened = await open(adapter)
    const { events, set, world } = opened
    await set({ cap: 10, enforcement: 'report' })
    await world.hold(ALICE)
    const reported = await events()
    await set({ cap: 10 })

    expect(reported.events.map(({ threshold }) => threshold)).toEqual([80, 100])
    expect(await refusalOf(world.hold(ALICE))).toMatchObject({ reason: 'quota_exceeded' })
  })

  test('an agent sees the quotas that name it, and only an auditor those of the organisation', async () => {
    await using opened = await open(adapter)
    const { set, world } = opened
    const tenant = await set()
    const ofAlice = await set({ scope: { kind: 'agent', agentId: ALICE } })
    await set({ scope: { kind: 'agent', agentId: BOB } })
    const ofGrant = await set({ scope: { kind: 'grant', grantId: 'task-1' } })
    const call = callBelow(['key', 'task-1', 'token'])
    const idsOf = async (caller: typeof call) =>
      (await world.service.quotas.list(caller, { limit: 100 })).quotas.map(({ quotaId }) => quotaId)

    expect(new Set(await idsOf(call))).toEqual(new Set([ofAlice.quotaId, ofGrant.quotaId]))
    expect(await idsOf(AUDITOR)).toHaveLength(4)
    const asked = world.service.quotas.get(call, { quotaId: tenant.quotaId })
    expect(await refusalOf(asked)).toMatchObject({ reason: 'quota_unknown' })
    const page = await world.service.quotas.list(AUDITOR, { limit: 3 })
    const rest = await world.service.quotas.list(AUDITOR, { limit: 3, cursor: page.nextCursor })
    expect([page.quotas.length, rest.quotas.length, rest.nextCursor]).toEqual([3, 1, undefined])
  })

  test('setting one again with the same key changes nothing', async () => {
    await using opened = await open(adapter)
    const { world } = opened
    const input = quotaInput('the-one-key')

    const answers = [
      await world.service.quotas.set(AUDITOR, input),
      await world.service.quotas.set(AUDITOR, input),
    ]

    expect(answers.map(({ version }) => version)).toEqual([1, 1])
    const other = world.service.quotas.set(AUDITOR, { ...input, cap: 1 })
    expect(await refusalOf(other)).toMatchObject({ reason: 'idempotency_conflict' })
    const unknown = quotaInput(world.key(), { measure: { kind: 'money', currency: 'ZZZ' } })
    expect(await refusalOf(world.service.quotas.set(AUDITOR, unknown))).toMatchObject({
      reason: 'currency_unknown',
    })
  })
})
