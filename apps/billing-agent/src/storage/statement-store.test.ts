import { openDatabase } from '@deputy/storage'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createKyselyHoldStore } from './hold-store.ts'
import { migrations } from './migrations.ts'
import { createKyselyStatementStore } from './statement-store.ts'
import type { Tables } from './tables.ts'

const ALICE = 'agent-alice-v1'

/** A database in which alice captured so many holds of one minor unit. */
async function openWithCaptures(count: number) {
  const database = await openDatabase<Tables>({ file: ':memory:', migrations })
  const numbers = sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})`
  await sql`insert into quote (id, account, service, units, base_minor, unit_price_minor, amount_minor, currency, price_book_version, expires_at) ${numbers}
    select 'quote-' || i, ${ALICE}, 'research.brief', 1, 1, 0, 1, 'USD', 'v', 2 from n`.execute(
    database.db,
  )
  await sql`insert into hold (id, quote_id, account, service, reference, state, amount_minor, captured_minor, currency, created_at, expires_at, ended_at) ${numbers}
    select 'hold-' || i, 'quote-' || i, ${ALICE}, 'research.brief', 'job-' || i, 'captured', 1, 1, 'USD', 1, 2, 1
    from n`.execute(database.db)
  const holds = createKyselyHoldStore(database.db)
  const insert = async (statementId: string, holdIds: readonly string[]) =>
    database.db.transaction().execute(async (transaction) =>
      createKyselyStatementStore(transaction).insert({
        statementId,
        number: 1,
        ownerId: 'system',
        credits: [],
        usage: [],
        account: ALICE,
        currency: 'USD',
        lines: holdIds.map((holdId) => ({
          holdId,
          reference: 'job',
          amountMinor: 1,
          capturedAt: 1,
          evidence: { briefSha256: 'e'.repeat(64), sentences: 1, documents: 1, completedAt: 1 },
        })),
        totalMinor: holdIds.length,
        closedAt: 1,
      }),
    )
  return { ...database, holds, insert }
}

test('keeps a statement of more lines than SQLite takes parameters', async () => {
  await using database = await openWithCaptures(9000)
  const unbilled = await database.holds.listUnbilled({ ownerId: 'system', agentId: ALICE }, 'USD')

  await database.insert(
    'statement-1',
    unbilled.map(({ holdId }) => holdId),
  )

  expect(unbilled).toHaveLength(9000)
  expect(await database.holds.listUnbilled({ ownerId: 'system', agentId: ALICE }, 'USD')).toEqual(
    [],
  )
})

test('refuses a capture that stands on another statement, and keeps nothing of the second one', async () => {
  await using database = await openWithCaptures(2)
  await database.insert('statement-1', ['hold-1'])

  await expect(database.insert('statement-2', ['hold-2', 'hold-1'])).rejects.toThrow('UNIQUE')

  const statements = await database.db.selectFrom('statement').select('id').execute()
  const unbilled = await database.holds.listUnbilled({ ownerId: 'system', agentId: ALICE }, 'USD')
  expect(statements).toEqual([{ id: 'statement-1' }])
  expect(unbilled.map(({ holdId }) => holdId)).toEqual(['hold-2'])
})
