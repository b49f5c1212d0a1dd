import { openDatabase, type Database } from '@deputy/storage'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createPostgresDatabase, postgresUrl } from '../../../../test/support/postgres-database.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

const POSTING = [
  `insert into posting (id, procedure, agent_id, subject, credential_id, created_at) values ('x', 'p', 'a', 's', 'c', 1)`,
  `insert into entry (posting_id, account, currency, amount_minor)
    values ('x', 'external:funding', 'USD', -5), ('x', 'agent:alice:available', 'USD', 5)`,
  `insert into posting_seal values ('x')`,
]
/** The trigger before the row has run when it waits; the foreign key looks when the statement ends. */
const LATE = `insert into entry (posting_id, account, currency, amount_minor)
  values ('x', 'external:other', 'USD', 500) returning pg_advisory_xact_lock(1)`
const IS_WAITING = `select count(*) as waiting from pg_locks where locktype = 'advisory' and objid = 1 and not granted
  and database = (select oid from pg_database where datname = current_database())`

async function isAnyWaiting({ db }: Database<Tables>): Promise<boolean> {
  const { rows } = await sql.raw<{ waiting: number }>(IS_WAITING).execute(db)
  return rows[0]?.waiting !== 0
}

test.skipIf(postgresUrl === undefined)(
  'an entry cannot wait for a posting that another transaction is about to commit',
  async () => {
    await using place = await createPostgresDatabase()
    const options = { url: place.url, migrations }
    await using database = await openDatabase<Tables>(options)
    await using intruder = await openDatabase<Tables>(options)
    await sql`insert into account (name, currency) values ('external:funding', 'USD'),
      ('external:other', 'USD'), ('agent:alice:available', 'USD')`.execute(database.db)
    const intrusion = { isOver: false }

    const late = await database.db.transaction().execute(async (transaction) => {
      await sql`select pg_advisory_xact_lock(1)`.execute(transaction)
      const insert = sql
        .raw(LATE)
        .execute(intruder.db)
        .then(
          () => 'accepted',
          (error: unknown) => String(error),
        )
        .finally(() => (intrusion.isOver = true))
      for (const statement of POSTING) await sql.raw(statement).execute(transaction)
      while (!intrusion.isOver && !(await isAnyWaiting(database))) continue
      return { insert }
    })

    expect(await late.insert).toContain('the posting is sealed, or not there')
  },
)
