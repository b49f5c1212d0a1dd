// A report of more than a page holds.
import { openDatabase } from '@deputy/storage'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { ALICE, callBy, createBillingWorld } from '../../test-support/billing-world.ts'
import { BILLING_ADAPTERS, type BillingAdapter } from '../../test-support/databases.ts'
import { FEBRUARY, JANUARY } from '../../test-support/metering-world.ts'
import { migrations } from '../storage/migrations.ts'
import type { Tables } from '../storage/tables.ts'

/** So many meters by `max`, of each of which alice used 3 and 5 in a month. */
async function openMany(adapter: BillingAdapter, count: number) {
  await using stack = new AsyncDisposableStack()
  const { location } = stack.use(await adapter.open())
  const world = stack.use(await createBillingWorld(location))
  const database = stack.use(await openDatabase<Tables>({ ...location, migrations }))
  const meters = sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < ${sql.lit(count)})`
  await sql`insert into meter (name, aggregation, description, defined_at, defined_by) ${meters}
    select 'many.m' || (10000 + i), 'max', 'a test', 1, 'operator' from n`.execute(database.db)
  for (const quantity of [3, 5]) {
    await sql`insert into usage_event (source, event_id, owner_id, account, meter, quantity, happened_at,
        period_start, recorded_at, subject, credential_id)
      select 'test', ${sql.lit(quantity)} || name, 'system', ${sql.lit(ALICE)}, name, ${sql.lit(quantity)}, ${sql.lit(JANUARY)},
        case when name < 'many.m10500' then ${sql.lit(JANUARY)} else ${sql.lit(FEBRUARY)} end, 1, 's', 'c' from meter`.execute(
      database.db,
    )
  }
  const report = async (cursor?: string) =>
    world.service.usage.report(callBy(ALICE), { since: 0, cursor })
  const resources = stack.move()
  return { report, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

describe.each(BILLING_ADAPTERS)('on $name', (adapter) => {
  test('each meter comes to what it counts by, however many there are, and each month is on one page', async () => {
    await using opened = await openMany(adapter, 1001)

    const first = await opened.report()
    const second = await opened.report(first.nextCursor)

    expect([first.months.length, second.months.length]).toEqual([1000, 1])
    expect(second.nextCursor).toBeUndefined()
    const months = [...first.months, ...second.months]
    expect(months.filter(({ quantity }) => quantity !== 5)).toEqual([])
    expect(new Set(months.map(({ meter }) => meter)).size).toBe(1001)
    // The latest month first, and the meters of each by name.
    expect(months[0]).toMatchObject({ meter: 'many.m10500', periodStart: FEBRUARY })
    expect(months.at(-1)).toMatchObject({ meter: 'many.m10499', periodStart: JANUARY })
  })

  test('a report that fits on a page ends with it', async () => {
    await using opened = await openMany(adapter, 1)

    expect(await opened.report()).toMatchObject({ nextCursor: undefined, months: [{ events: 2 }] })
  })
})
