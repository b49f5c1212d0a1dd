import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createDatabase, DATABASE_ADAPTERS, readTexts } from '../../test-support/databases.ts'
import type { DatabaseAdapter } from '../../test-support/databases.ts'
import { isBusy, toSqliteError } from './sqlite-unavailability.ts'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'

const [adapter] = DATABASE_ADAPTERS as [DatabaseAdapter]
const large = 'x'.repeat(100_000)

/** A database on a disk with room for a little more. */
async function createNearlyFull() {
  const database = await createDatabase(adapter)
  await database.db.insertInto('note').values({ id: 1, text: 'before' }).execute()
  const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(database.db)
  await sql`pragma max_page_count = ${sql.lit((rows[0]?.page_count ?? 0) + 5)}`.execute(database.db)
  return database
}
const full = {
  name: 'DatabaseUnavailableError',
  code: 'database_unavailable',
  reason: 'full',
  message: 'the database is unavailable: its disk is full',
}

test('says of a full disk what it is, and keeps nothing of what did not fit', async () => {
  await using database = await createNearlyFull()

  const insert = database.db.insertInto('note').values({ id: 2, text: large }).execute()

  await expect(insert).rejects.toMatchObject(full)
  expect(await readTexts(database)).toEqual(['before'])
})

test('commits nothing of works that share a full disk with one that does not fit', async () => {
  await using database = await createNearlyFull()

  const outcomes = await Promise.allSettled(
    ['small', large, 'small too'].map(async (text, index) =>
      database.commit(async (transaction) =>
        transaction
          .insertInto('note')
          .values({ id: index + 2, text })
          .execute(),
      ),
    ),
  )

  const kept = await readTexts(database)
  expect(outcomes[1]).toMatchObject({ status: 'rejected', reason: full })
  // Whoever was told of success is in there, and nobody else.
  const told = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []))
  expect(kept).toHaveLength(1 + told.length)
})

test('does not go on by halves when a work ignores that the disk is full', async () => {
  await using database = await createNearlyFull()

  const work = database.commit(async (transaction) => {
    await transaction.insertInto('note').values({ id: 2, text: 'first half' }).execute()
    await transaction
      .insertInto('note')
      .values({ id: 3, text: large })
      .execute()
      .catch(() => {})
    await transaction.insertInto('note').values({ id: 4, text: 'last half' }).execute()
  })

  const outcome = await work.then(
    () => 'told of success',
    () => 'told of failure',
  )
  const kept = await readTexts(database)
  expect([outcome, kept]).toEqual(
    outcome === 'told of success'
      ? ['told of success', ['before', 'first half', 'last half']]
      : ['told of failure', ['before']],
  )
})

test('takes writes again once there is room, without being opened again', async () => {
  await using database = await createNearlyFull()
  await expect(
    database.db.insertInto('note').values({ id: 2, text: large }).execute(),
  ).rejects.toMatchObject(full)

  await sql`pragma max_page_count = 100000`.execute(database.db)

  await database.commit(async (transaction) =>
    transaction.insertInto('note').values({ id: 2, text: large }).execute(),
  )
  expect(await readTexts(database)).toEqual(['before', large])
})

test('says of a database that takes no writes what it is, and still reads', async () => {
  await using database = await createDatabase(adapter)
  await sql`pragma query_only = on`.execute(database.db)

  const work = database.commit(async (transaction) =>
    transaction.insertInto('note').values({ id: 1, text: 'x' }).execute(),
  )

  await expect(work).rejects.toMatchObject({ code: 'database_unavailable', reason: 'read_only' })
  expect(await readTexts(database)).toEqual([])
})

test('knows a lock that others hold', async () => {
  await using folder = await createTemporaryFolder()
  using holder = new DatabaseSync(folder.file('a.sqlite'))
  using waiter = new DatabaseSync(folder.file('a.sqlite'), { timeout: 0 })
  holder.exec('begin immediate')

  let error: unknown
  try {
    waiter.exec('begin immediate')
  } catch (thrown) {
    error = thrown
  }

  expect(isBusy(error)).toBe(true)
  expect(toSqliteError(error)).toMatchObject({ reason: 'busy', cause: error })
})

test('leaves a mistake in a query what it is', async () => {
  await using database = await createDatabase(adapter)

  const query = sql`select * from nothing`.execute(database.db)

  await expect(query).rejects.toMatchObject({ code: 'ERR_SQLITE_ERROR' })
})
