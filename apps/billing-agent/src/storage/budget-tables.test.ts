// The database itself keeps budgets, whatever code there is above it.
import { openDatabase } from '@deputy/storage'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { ALICE, budgetOf, callBelow, createBillingWorld } from '../../test-support/billing-world.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

async function openWithHold() {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const file = folder.file('billing.sqlite')
  const world = stack.use(await createBillingWorld({ file: file }))
  await world.deposit(ALICE, 100)
  const call = callBelow(['task-1'], budgetOf('task-1', '0.30'))
  const { holdId } = await world.holdBy(call)
  const database = stack.use(await openDatabase<Tables>({ file, migrations }))
  const resources = stack.move()
  return { database, holdId, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

test.each([
  [
    'a use beyond the cap',
    `update budget_use set held_minor = 31 where identifier = 'task-1'`,
    'CHECK',
  ],
  ['a use below nothing', `update budget_use set held_minor = -1`, 'CHECK'],
  ['another amount for a hold', `update budget_hold set amount_minor = 1`, 'a hold ends once'],
  [
    'another grant for a hold',
    `update budget_hold set identifier = 'other', state = 'given_back'`,
    'a hold ends once',
  ],
  [
    'a capture beyond the hold',
    `update budget_hold set state = 'captured', captured_minor = 21`,
    'CHECK',
  ],
  ['a hold that is forgotten', `delete from budget_hold`, 'what was counted stays'],
  [
    'a hold that begins captured',
    `insert into budget_hold select id, 'task-2', 'USD', 20, 'captured', 1, 1 from hold`,
    'a hold begins held',
  ],
])('refuses %s', async (_what, statement, message) => {
  await using world = await openWithHold()

  await expect(sql.raw(statement).execute(world.database.db)).rejects.toThrow(message)
})

test('refuses a hold that ends twice', async () => {
  await using world = await openWithHold()
  const endHold = sql.raw(`update budget_hold set state = 'given_back'`)
  await endHold.execute(world.database.db)

  await expect(endHold.execute(world.database.db)).rejects.toThrow('a hold ends once')
  const use = await world.database.db.selectFrom('budget_use').selectAll().execute()
  expect(use).toMatchObject([{ held_minor: 0, captured_minor: 0, cap_minor: 30 }])
})

test('refuses a second hold that together with the first exceeds the cap', async () => {
  await using world = await openWithHold()
  const { db } = world.database
  await sql`insert into quote (id, account, service, units, base_minor, unit_price_minor, amount_minor,
    currency, price_book_version, expires_at) select 'q2', account, service, units, base_minor, unit_price_minor,
    amount_minor, currency, price_book_version, expires_at from quote`.execute(db)
  await sql`insert into hold (id, quote_id, account, service, reference, state, amount_minor, captured_minor,
    currency, created_at, expires_at, ended_at) select 'h2', 'q2', account, service, reference, state, amount_minor,
    captured_minor, currency, created_at, expires_at, ended_at from hold`.execute(db)

  const second = sql`insert into budget_hold select 'h2', identifier, currency, amount_minor, state,
    captured_minor, expires_at from budget_hold`.execute(db)

  await expect(second).rejects.toThrow('CHECK')
})
