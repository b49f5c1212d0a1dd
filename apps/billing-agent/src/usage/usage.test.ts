// What metering promises, on SQLite and on PostgreSQL alike: each event counts once, in its own month, and what is
// corrected or comes late is put right on the next statement.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ALICE, BOB, callBy, callOnBehalf, refusalOf } from '../../test-support/billing-world.ts'
import { BILLING_ADAPTERS } from '../../test-support/databases.ts'
import {
  corrected,
  FEBRUARY,
  JANUARY,
  openMetering,
  used,
} from '../../test-support/metering-world.ts'
import { AUDITOR } from '../../test-support/quota-input.ts'

describe.each(BILLING_ADAPTERS)('on $name', (adapter) => {
  // Attack, or a network that drops answers: the same event is sent again and again, to two processes at once.
  test('replay: an event that is sent many times at once counts once', async () => {
    await using opened = await openMetering(adapter)
    const { other, report, world } = opened
    const events = [
      used('one', 3, { happenedAt: JANUARY }),
      used('two', 4, { happenedAt: JANUARY }),
    ]

    const answers = await Promise.all(
      Array.from({ length: 12 }, async (_, place) =>
        (place % 2 === 0 ? world : other).service.usage.record(callBy(ALICE), { events }),
      ),
    )

    expect(answers.map(({ recorded }) => recorded).toSorted((one, two) => one - two)).toEqual([
      ...Array<number>(11).fill(0),
      2,
    ])
    expect(answers.filter(({ duplicates }) => duplicates.length === 2)).toHaveLength(11)
    expect(await report()).toMatchObject([{ quantity: 7, events: 2 }])
  })

  test('another event under the same id is refused, and nothing that came with it is recorded', async () => {
    await using opened = await openMetering(adapter)
    const { record, report, world } = opened
    await record(used('one', 3))

    const refusal = await refusalOf(record(used('two', 1), used('one', 4)))

    expect(refusal).toEqual({ reason: 'event_conflict', code: 'CONFLICT' })
    expect(await report()).toMatchObject([{ quantity: 3, events: 1 }])
    // Ids are each source's own.
    await world.service.usage.record(callOnBehalf(BOB, ALICE), { events: [used('one', 4)] })
    expect(await report()).toMatchObject([{ quantity: 7, events: 2 }])
  })

  test.each([
    ['an unknown meter', used('x', 1, { meter: 'research.nothing' }), 'meter_unknown'],
    ['a moment that is yet to come', used('x', 1, { happenedAt: FEBRUARY }), 'event_in_the_future'],
    ['a correction of nothing', corrected('x', 'nothing', 1), 'event_unknown'],
    ['a correction of a correction', corrected('x', 'right', 1), 'event_unknown'],
  ])('refuses %s', async (_what, event, reason) => {
    await using opened = await openMetering(adapter)
    await opened.record(used('one', 3), corrected('right', 'one', 2))

    expect(await refusalOf(opened.record(event))).toMatchObject({ reason })
    expect(await opened.report()).toMatchObject([{ quantity: 2 }])
  })

  test('each meter counts in its own way, and the statement has what it comes to', async () => {
    await using opened = await openMetering(adapter)
    const { close, record, world } = opened
    await record(used('s1', 3), used('s2', 4))
    await record(
      used('c1', 1, { meter: 'research.call' }),
      used('c2', 9, { meter: 'research.call' }),
      used('c3', 0, { meter: 'research.call' }),
    )
    await record(
      ...['ann', 'ben', 'ann'].map((uniqueKey, place) =>
        used(`u${String(place)}`, 1, { meter: 'research.reader', uniqueKey }),
      ),
    )
    await record(
      used('m1', 5, { meter: 'research.store' }),
      used('m2', 2, { meter: 'research.store' }),
    )

    const statement = await close()

    expect(
      statement.usage.map(({ amountMinor, kind, meter, quantity }) => [
        meter,
        kind,
        quantity,
        amountMinor,
      ]),
    ).toEqual([
      ['research.call', 'usage', 2, 20],
      ['research.reader', 'usage', 2, 200],
      ['research.search', 'usage', 7, 107],
      ['research.store', 'usage', 5, 5000],
    ])
    expect(statement.totalMinor).toBe(5327)
    const { availableMinor } = await world.balance(ALICE)
    expect(availableMinor).toBe(1_000_000 - 5327)
    expect(await world.verify()).toEqual([])
    const { statementId } = statement
    const { html, statement: kept } = await world.service.invoice(callBy(ALICE), { statementId })
    expect(kept.usage).toEqual(statement.usage)
    expect(html).toContain('research.store')
    expect(html).toContain('USD 53.27')
    // The evidence can be checked by whoever reads the events.
    const { events } = await world.service.usage.events(callBy(ALICE), {
      meter: 'research.search',
      cursor: 0,
      limit: 10,
    })
    const lines = events.map(
      ({ eventId, quantity, source }) => `${JSON.stringify([source, eventId, quantity])}\n`,
    )
    const evidence = {
      events: 2,
      eventsSha256: createHash('sha256').update(lines.join('')).digest('hex'),
    }
    expect(statement.usage[2]?.evidence).toEqual(evidence)
  })

  test('what comes late goes to its own month, and once that is billed to an adjustment', async () => {
    await using opened = await openMetering(adapter)
    const { close, record, report, world } = opened
    await record(used('in-january', 5))
    world.clock.set(FEBRUARY + 1000)
    await record(used('late', 2, { happenedAt: JANUARY + 5 }))
    const first = await close()
    await record(
      used('in-february', 1),
      used('too-late', 4, { happenedAt: FEBRUARY - 1 }),
      corrected('right', 'in-january', 3),
    )

    const second = await close()
    const third = await close()

    expect(first.usage).toMatchObject([
      { kind: 'usage', periodStart: JANUARY, quantity: 7, amountMinor: 107 },
    ])
    expect(second.usage).toMatchObject([
      { kind: 'adjustment', periodStart: JANUARY, quantity: 2, totalQuantity: 9, amountMinor: 2 },
      { kind: 'usage', periodStart: FEBRUARY, quantity: 1, amountMinor: 101 },
    ])
    expect(third).toMatchObject({ usage: [], totalMinor: 0 })
    expect(await report()).toMatchObject([
      { periodStart: FEBRUARY, quantity: 1, billedQuantity: 1, billedMinor: 101 },
      { periodStart: JANUARY, quantity: 9, billedQuantity: 9, billedMinor: 109 },
    ])
  })

  test('what was billed and did not happen is given back, at the price that it was billed with', async () => {
    await using opened = await openMetering(adapter)
    const { close, record, world } = opened
    await record(used('wrong', 50))
    await close()
    world.clock.set(FEBRUARY)
    await world.service.publishPrices(AUDITOR, {
      version: 'dearer',
      prices: [
        { service: 'research.search', baseMinor: 999, unitPriceMinor: 999, currency: 'USD' },
      ],
      idempotencyKey: world.key(),
    })
    await record(corrected('right', 'wrong', 10))
    await record(corrected('never', 'wrong', 0))

    const statement = await close()

    expect(statement.usage).toMatchObject([
      { kind: 'usage', quantity: -50, amountMinor: -150, priceBookVersion: 'metered' },
    ])
    const { html } = await world.service.invoice(callBy(ALICE), statement)
    expect(html).toContain('Credit note')
    expect(html).not.toContain('Paid')
    expect(await world.balance(ALICE)).toMatchObject({ availableMinor: 1_000_000 })
    expect(await world.verify()).toEqual([])
  })

  test('usage that the account cannot pay for stays open, and nothing is closed', async () => {
    await using opened = await openMetering(adapter)
    const { close, record, world } = opened
    await record(used('much', 1_000_000))

    expect(await refusalOf(close())).toMatchObject({ reason: 'insufficient_funds' })
    await world.deposit(ALICE, 100)
    expect(await close()).toMatchObject({ number: 1, totalMinor: 1_000_100 })
    expect(await world.balance(ALICE)).toMatchObject({ availableMinor: 0 })
  })

  // Attack: an agent that works for two organisations corrects, in the name of one, what it recorded for the other.
  test('cross-tenant: a source corrects only in the book that it recorded in', async () => {
    await using opened = await openMetering(adapter)
    const { record, report, world } = opened
    await record(used('one', 3))
    const elsewhere = callBy(ALICE)
    const call = { ...elsewhere, principal: { ...elsewhere.principal, ownerId: 'mallory' } }

    const asked = world.service.usage.record(call, { events: [corrected('mine', 'one', 0)] })

    expect(await refusalOf(asked)).toMatchObject({ reason: 'event_unknown' })
    expect(await report()).toMatchObject([{ quantity: 3 }])
  })

  test('events are listed as they were recorded, page by page', async () => {
    await using opened = await openMetering(adapter)
    const { record, world } = opened
    await record(used('one', 3), used('two', 4), corrected('right', 'one', 1))
    const page = async (cursor: number) =>
      world.service.usage.events(callBy(ALICE), { cursor, limit: 2 })

    const first = await page(0)
    const rest = await page(first.nextCursor ?? 0)

    expect(first.events.map(({ eventId, quantity }) => [eventId, quantity])).toEqual([
      ['one', 3],
      ['two', 4],
    ])
    expect(rest).toMatchObject({
      events: [{ eventId: 'right', corrects: 'one', quantity: 1, source: ALICE, subject: ALICE }],
    })
    expect(rest.nextCursor).toBeUndefined()
  })

  test('a month that comes to more than can be counted exactly is refused, until it is corrected', async () => {
    await using opened = await openMetering(adapter)
    const { close, record, report, world } = opened
    await record(used('one', 1), used('two', 1), used('three', 1))
    await world.storage.transaction(async ({ usage }) => {
      for (const [place, corrects] of ['one', 'two'].entries()) {
        const known = await usage.find(ALICE, corrects)
        if (known === undefined) throw new Error('there is no such event')
        await usage.insert({
          ...known,
          source: ALICE,
          eventId: `much-${String(place)}`,
          quantity: Number.MAX_SAFE_INTEGER,
          recordedAt: JANUARY + 1000,
          corrects: known.sequence,
          reason: 'a fault in the meter',
          subject: ALICE,
          credentialId: 'token',
          tokenSha256: undefined,
          grantId: undefined,
          traceId: undefined,
        })
      }
    })

    const beyond = { reason: 'usage_out_of_range', code: 'UNPROCESSABLE_CONTENT' }
    expect(await refusalOf(report())).toEqual(beyond)
    expect(await refusalOf(close())).toEqual(beyond)
    await record(corrected('right-1', 'one', 1), corrected('right-2', 'two', 1))
    expect(await report()).toMatchObject([{ quantity: 3 }])
    expect(await close()).toMatchObject({ totalMinor: 103 })
  })

  test('usage whose price is more than an amount holds is refused, not rounded', async () => {
    await using opened = await openMetering(adapter)
    const { close, record, world } = opened
    await world.service.publishPrices(AUDITOR, {
      version: 'dearest',
      prices: [
        {
          service: 'research.search',
          baseMinor: 0,
          unitPriceMinor: 1_000_000_000,
          currency: 'USD',
        },
      ],
      idempotencyKey: world.key(),
    })
    await record(used('one', 1_000_000_000))

    expect(await refusalOf(close())).toMatchObject({ reason: 'usage_out_of_range' })
  })
})
