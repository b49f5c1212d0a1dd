// What docs/storage-schema.md calls immutable is that: no row is changed, removed, or put in the place of another, whatever a
// conflict clause says.
import { openDatabase } from '@deputy/storage'
import { sql } from 'kysely'
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { budgetOf, callBelow, receiptFor } from '../../test-support/billing-world.ts'
import { BILLING_ADAPTERS, SQLITE, type BillingAdapter } from '../../test-support/databases.ts'
import { openMetering, used } from '../../test-support/metering-world.ts'
import { AUDITOR, quotaInput } from '../../test-support/quota-input.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

const page = await readFile(new URL('../../../../docs/storage-schema.md', import.meta.url), 'utf8')
const IMMUTABLE = [...page.matchAll(/^### `(\w+)`\n\n[^\n]*Immutable, by triggers\./gm)].map(
  ([, table = '']) => table,
)

/** A book with rows in each of its tables. */
async function openFullBook(adapter: BillingAdapter) {
  await using stack = new AsyncDisposableStack()
  const opened = await adapter.open()
  stack.use(opened)
  const shared = { ...opened, [Symbol.asyncDispose]: async () => undefined }
  const metering = stack.use(await openMetering({ ...adapter, open: async () => shared }))
  const { close, record, world } = metering
  const key = () => ({ idempotencyKey: world.key() })
  await world.service.quotas.set(AUDITOR, quotaInput(world.key(), { cap: 20 }))
  const { holdId, reference } = await world.holdBy(
    callBelow(['task-1'], budgetOf('task-1', '0.30')),
  )
  const capture = { holdId, amountMinor: 20, ...key() }
  const captured = await world.service.capture(callBelow(['task-1']), capture)
  world.receipts.set(reference, receiptFor(captured))
  await record(used('event-1', 3))
  await close()
  const refund = { holdId, amountMinor: 8, reason: 'a test', ...key() }
  await world.service.refund(AUDITOR, refund)
  const database = stack.use(await openDatabase<Tables>({ ...opened.location, migrations }))
  const run = async (statement: string) => sql.raw(statement).execute(database.db)
  const resources = stack.move()
  return { world, run, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

/** What the database says to a statement. */
const refusal = async (statement: Promise<unknown>): Promise<string> =>
  statement.then(
    () => 'accepted',
    (error: unknown) => String(error),
  )

const IS_FINAL = /are final|is final|keeps its meaning|is sealed/

/** What is written over in each, where a conflict clause says what. */
const COLUMN: Readonly<Record<string, string>> = {
  entry: 'amount_minor = 1',
  posting: `subject = 'mallory'`,
  refund: 'amount_minor = 1',
  price_book: 'effective_at = 1',
  price: 'base_minor = 1',
  meter: `aggregation = 'max'`,
  usage_event: 'quantity = 1',
  statement_usage: 'amount_minor = 1',
  quota_version: 'cap = 1',
  quota_event: 'spent = 1',
}

describe.each(BILLING_ADAPTERS)('on $name', (adapter) => {
  test('no row of a table that the page calls immutable is removed or written over', async () => {
    await using book = await openFullBook(adapter)
    const replace = (table: string): string =>
      adapter.name === 'SQLite'
        ? `insert or replace into ${table} select * from ${table}`
        : `insert into ${table} overriding system value select * from ${table}
            on conflict on constraint ${table}_pkey do update set ${COLUMN[table] ?? ''}`

    const answers = await Promise.all(
      IMMUTABLE.map(async (table) => [
        table,
        await refusal(book.run(`delete from ${table}`)),
        await refusal(book.run(replace(table))),
      ]),
    )

    expect(IMMUTABLE).toContain('usage_event')
    for (const [table, removed, replaced] of answers) {
      expect([table, removed]).toEqual([table, expect.stringMatching(IS_FINAL)])
      expect([table, replaced]).toEqual([table, expect.stringMatching(IS_FINAL)])
    }
    expect(await book.world.verify()).toEqual([])
  })
})

// Attack: what has two keys is found by the one, and replaced by way of the other.
test.each([
  [
    'a refund by its posting',
    `insert or replace into refund select 'other', hold_id, posting_id, 1, reason, created_at from refund`,
    'refunds are final',
  ],
  [
    'prices by their version',
    `insert or replace into price_book (version, effective_at, published_by) select version, 1, 'mallory' from price_book`,
    'what is published is final',
  ],
  [
    'usage by its name',
    `insert or replace into usage_event (source, event_id, owner_id, account, meter, quantity, happened_at, period_start, recorded_at, subject, credential_id)
      select source, event_id, owner_id, account, meter, 0, happened_at, period_start, recorded_at, subject, credential_id from usage_event`,
    'events are final',
  ],
  [
    'an announcement by its period',
    `insert or replace into quota_event (quota_id, period_start, threshold, cap, spent, occurred_at, agent_id)
      select quota_id, period_start, threshold, cap, 0, occurred_at, agent_id from quota_event`,
    'what was announced is final',
  ],
  [
    'a quota, by one without a cap',
    `insert or replace into quota (id, owner_id, scope_kind, scope_id, measure, unit, period)
      select id, owner_id, scope_kind, scope_id, measure, unit, period from quota`,
    'is lifted, not removed',
  ],
  [
    'a quota by its name',
    `insert or replace into quota (id, owner_id, scope_kind, scope_id, measure, unit, period)
      select 'other', owner_id, scope_kind, scope_id, measure, unit, period from quota`,
    /foreign key/i,
  ],
  [
    'a charge by a smaller one',
    `insert or replace into quota_charge (source_id, quota_id, period_start, amount, state, used, is_bound)
      select source_id, quota_id, period_start, 1, 'used', 1, 0 from quota_charge`,
    'what was charged stays',
  ],
  [
    'what a budget counted by less',
    `insert or replace into budget_hold (hold_id, identifier, currency, amount_minor, state, expires_at)
      select hold_id, identifier, currency, 1, 'held', expires_at from budget_hold`,
    'what was counted stays',
  ],
])('on SQLite, nobody replaces %s', async (_what, statement, message) => {
  await using book = await openFullBook(SQLITE)

  await expect(book.run(statement)).rejects.toThrow(message)

  expect(await book.world.verify()).toEqual([])
})

test('what is there already is refused as before: a meter that is defined twice', async () => {
  await using book = await openFullBook(SQLITE)
  const again = book.world.service.usage.defineMeter(AUDITOR, {
    meter: 'research.search',
    aggregation: 'max',
    description: 'again',
    idempotencyKey: book.world.key(),
  })

  await expect(again).rejects.toMatchObject({ reason: 'meter_exists' })
})
