import { openDatabase } from '@deputy/storage'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { ALICE, callBy, createBillingWorld, refusalOf } from '../../test-support/billing-world.ts'
import { BILLING_ADAPTERS, SQLITE, type BillingAdapter } from '../../test-support/databases.ts'
import { HOLD_TTL_SECONDS } from '../holds/place-hold.ts'
import { expireHolds } from '../holds/expire-holds.ts'
import { migrations } from '../storage/migrations.ts'
import type { Tables } from '../storage/tables.ts'
import { QUOTE_TTL_SECONDS } from './make-quote.ts'
import { createQuotePruning, UNUSED_QUOTE_TTL_SECONDS } from './prune-quotes.ts'

const MANY = 6000

async function open(adapter: BillingAdapter) {
  await using stack = new AsyncDisposableStack()
  const { location } = stack.use(await adapter.open())
  const world = stack.use(await createBillingWorld(location))
  await world.deposit(ALICE, 1000)
  const prune = createQuotePruning(world.storage, world.clock)
  /** Quotes of long ago, whose ids come before those of today. */
  const insertOld = async (isUsed: boolean) => {
    await using database = await openDatabase<Tables>({ ...location, migrations })
    const numbers = sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < ${sql.lit(MANY)})`
    await sql`insert into quote (id, account, service, units, base_minor, unit_price_minor, amount_minor, currency, price_book_version, expires_at) ${numbers}
      select '0000-' || i, 'bob', 'research.brief', 1, 1, 0, 1, 'USD', 'v', 2 from n`.execute(
      database.db,
    )
    if (!isUsed) return
    await sql`insert into hold (id, quote_id, account, service, reference, state, amount_minor, captured_minor, currency, created_at, expires_at, ended_at)
      select 'hold-' || id, id, account, service, 'job', 'released', 1, 0, 'USD', 1, 2, 1 from quote where id like '0000-%'`.execute(
      database.db,
    )
  }
  const hold = async (quoteId: string) =>
    world.service.hold(callBy(ALICE), { quoteId, reference: 'job', idempotencyKey: world.key() })
  const resources = stack.move()
  return {
    world,
    prune,
    insertOld,
    hold,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

describe.each(BILLING_ADAPTERS)('on $name', (adapter) => {
  test('an unused quote is forgotten 30 days after its end, and not a second before', async () => {
    await using opened = await open(adapter)
    const { hold, prune, world } = opened
    const { quoteId } = await world.quote(ALICE)
    world.clock.advance(QUOTE_TTL_SECONDS + UNUSED_QUOTE_TTL_SECONDS)

    const early = await prune()
    const before = await refusalOf(hold(quoteId))
    world.clock.advance(1)

    expect([early, await prune(), await prune()]).toEqual([0, 1, 0])
    expect(before.reason).toBe('quote_expired')
    expect((await refusalOf(hold(quoteId))).reason).toBe('quote_unknown')
    expect(UNUSED_QUOTE_TTL_SECONDS).toBe(30 * 86_400)
  })

  test('a quote stays that a hold was placed for, whether it is captured or was given back', async () => {
    await using opened = await open(adapter)
    const { prune, world } = opened
    const { holdId } = await world.hold(ALICE)
    await world.hold(ALICE, 'job-2')
    const capture = { holdId, amountMinor: 5, idempotencyKey: world.key() }
    await world.service.capture(callBy(ALICE), capture)
    world.clock.advance(HOLD_TTL_SECONDS)
    await expireHolds(world.storage, world.clock)
    world.clock.advance(2 * UNUSED_QUOTE_TTL_SECONDS)

    expect(await prune()).toBe(0)
    expect(await world.verify()).toEqual([])
  })

  test('forgets what came together over months in one round', async () => {
    await using opened = await open(adapter)
    await opened.insertOld(false)

    expect(await opened.prune()).toBe(MANY)
  })
})

test('goes on in the next round where many quotes stay, and from the beginning after the last', async () => {
  await using opened = await open(SQLITE)
  const { insertOld, prune, world } = opened
  await insertOld(true)
  await world.quote(ALICE)
  world.clock.advance(2 * UNUSED_QUOTE_TTL_SECONDS)

  const rounds = [await prune(), await prune()]
  await world.quote(ALICE)
  world.clock.advance(2 * UNUSED_QUOTE_TTL_SECONDS)

  expect([...rounds, await prune(), await prune()]).toEqual([0, 1, 0, 1])
})
