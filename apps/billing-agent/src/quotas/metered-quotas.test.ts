// What quotas make of metered usage, on SQLite and on PostgreSQL alike: whoever records usage says when it was, and
// chooses no period by that.
import { describe, expect, test } from 'vitest'
import { ALICE, refusalOf } from '../../test-support/billing-world.ts'
import { BILLING_ADAPTERS } from '../../test-support/databases.ts'
import {
  corrected,
  FEBRUARY,
  JANUARY,
  openMetering,
  used,
} from '../../test-support/metering-world.ts'
import { AUDITOR, quotaInput } from '../../test-support/quota-input.ts'

type World = Awaited<ReturnType<typeof openMetering>>['world']

const limitTo = async (world: World, changes: Parameters<typeof quotaInput>[1]) =>
  world.service.quotas.set(
    AUDITOR,
    quotaInput(world.key(), { measure: { kind: 'usage', meter: 'research.search' }, ...changes }),
  )

async function spentOf({ service }: World, quotaId: string): Promise<number> {
  const { current } = await service.quotas.get(AUDITOR, { quotaId })
  return current.held + current.used
}

describe.each(BILLING_ADAPTERS)('on $name', (adapter) => {
  test('a quota on a meter refuses what is beyond, gives back what is corrected, and is told', async () => {
    await using opened = await openMetering(adapter)
    const { record, report, world } = opened
    await world.service.quotas.set(
      AUDITOR,
      quotaInput(world.key(), { cap: 10, measure: { kind: 'usage', meter: 'research.search' } }),
    )
    await record(used('one', 8))
    const beyond = await refusalOf(record(used('two', 3)))
    await record(corrected('right', 'one', 7))
    await record(used('two', 3))

    const { events } = await world.service.quotas.events(AUDITOR, { cursor: 0, limit: 10 })

    expect(beyond).toEqual({ reason: 'quota_exceeded', code: 'FORBIDDEN' })
    expect(events.map(({ spent, threshold }) => [threshold, spent])).toEqual([
      [80, 8],
      [100, 10],
    ])
    expect(await report()).toMatchObject([{ quantity: 10 }])
    const unique = quotaInput(world.key(), { measure: { kind: 'usage', meter: 'research.reader' } })
    expect(await refusalOf(world.service.quotas.set(AUDITOR, unique))).toMatchObject({
      reason: 'meter_not_additive',
    })
  })

  test('a quota on money counts what a statement takes for usage, and does not refuse it', async () => {
    await using opened = await openMetering(adapter)
    const { close, record, world } = opened
    await world.service.quotas.set(AUDITOR, quotaInput(world.key(), { cap: 100 }))
    await record(used('one', 3))

    await close()

    const { events } = await world.service.quotas.events(AUDITOR, { cursor: 0, limit: 10 })
    expect(events.map(({ spent, threshold }) => [threshold, spent])).toEqual([
      [80, 103],
      [100, 103],
    ])
    expect(await refusalOf(world.hold(ALICE))).toMatchObject({ reason: 'quota_exceeded' })
    expect(await world.verify()).toEqual([])
  })

  // Attack: an agent that has used up today says of what it uses now that it was yesterday, or a moment ahead of midnight.
  test.each([
    ['a month that is over', JANUARY],
    ['a day long ago', 0],
    ['the next day, by a clock that is fast', FEBRUARY + 86_400],
  ])('usage that says it is of %s counts now', async (_when, happenedAt) => {
    await using opened = await openMetering(adapter)
    const { record, report, world } = opened
    world.clock.set(FEBRUARY + 86_399)
    await limitTo(world, { cap: 10, period: 'day' })
    await record(used('one', 10))

    const beyond = record(used('two', 1, { happenedAt }))

    expect(await refusalOf(beyond)).toMatchObject({ reason: 'quota_exceeded' })
    expect(await report()).toMatchObject([{ quantity: 10 }])
  })

  test('an event that comes late counts in the period in which it came, and is billed in its own', async () => {
    await using opened = await openMetering(adapter)
    const { close, record, world } = opened
    world.clock.set(FEBRUARY)
    const { quotaId } = await limitTo(world, { cap: 10, period: 'month' })

    await record(used('late', 4, { happenedAt: JANUARY + 5 }))

    expect(await spentOf(world, quotaId)).toBe(4)
    expect(await close()).toMatchObject({ usage: [{ periodStart: JANUARY, quantity: 4 }] })
  })

  // Attack: small events are recorded month by month, to be corrected upwards when much is to be used at once.
  test('an event that is corrected upwards counts what is more of it now', async () => {
    await using opened = await openMetering(adapter)
    const { record, world } = opened
    const { quotaId } = await limitTo(world, { cap: 10, period: 'month' })
    await record(used('seed', 1))
    world.clock.set(FEBRUARY)
    await record(used('one', 9))

    const beyond = await refusalOf(record(corrected('more', 'seed', 3)))
    await record(corrected('one-more', 'seed', 2))

    expect(beyond).toMatchObject({ reason: 'quota_exceeded' })
    expect(await spentOf(world, quotaId)).toBe(10)
  })

  // Attack: what was used in a month that is over, or before there was a quota, is taken back, to make room in this one.
  test('a correction gives back what counted in this period, and nothing beside', async () => {
    await using opened = await openMetering(adapter)
    const { record, world } = opened
    await record(used('before', 50))
    const { quotaId } = await limitTo(world, { cap: 10, period: 'month' })
    await record(used('old', 6))
    world.clock.set(FEBRUARY)
    await record(corrected('old-more', 'old', 9), used('new', 5))
    const spent = [await spentOf(world, quotaId)]
    for (const [eventId, corrects] of [
      ['no-before', 'before'],
      ['no-old', 'old'],
      ['no-old-again', 'old'],
      ['no-new', 'new'],
    ] as const) {
      await record(corrected(eventId, corrects, 0))
      spent.push(await spentOf(world, quotaId))
    }

    expect(spent).toEqual([8, 8, 5, 5, 0])
  })

  // Attack: usage that was billed in one month is taken back in the next, whose quota on money it would make room in.
  test('a statement counts what it bills, and gives nothing back for what it puts right', async () => {
    await using opened = await openMetering(adapter)
    const { close, record, world } = opened
    const money = { measure: { kind: 'money' as const, currency: 'USD' } }
    const { quotaId } = await limitTo(world, { ...money, cap: 1000, period: 'month' })
    await record(used('one', 400))
    await close()
    world.clock.set(FEBRUARY)
    await record(used('two', 200))
    await close()
    const before = await spentOf(world, quotaId)
    await record(corrected('no-one', 'one', 0), used('three', 50))

    const credit = await close()

    expect(credit.totalMinor).toBe(-450)
    expect([before, await spentOf(world, quotaId)]).toEqual([300, 350])
  })
})
