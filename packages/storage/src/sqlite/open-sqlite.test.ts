import { stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { createNotes, readTexts, type Tables } from '../../test-support/databases.ts'
import { openDatabase } from '../index.ts'

const migrations = { '001-notes': createNotes }

async function createPlace() {
  const folder = await createTemporaryFolder()
  const file = folder.file('a', 'notes.sqlite')
  const open = async () => openDatabase<Tables>({ file, migrations })
  return { file, open, [Symbol.asyncDispose]: async () => folder[Symbol.asyncDispose]() }
}

test('makes a folder and files that only their owner can read', async () => {
  await using place = await createPlace()

  await using _database = await place.open()

  const { file } = place
  const paths = [file, `${file}-wal`, `${file}-shm`, dirname(file)]
  const modes = paths.map(async (path) => (await stat(path)).mode)
  expect((await Promise.all(modes)).map((mode) => mode & 0o077)).toEqual([0, 0, 0, 0])
})

test('names a file that is not a database', async () => {
  await using place = await createPlace()
  await (await place.open()).close()
  await writeFile(place.file, 'this is a shopping list, not a database. '.repeat(50))

  const opened = place.open()

  await expect(opened).rejects.toThrow(`cannot open the database ${place.file}`)
})

test('refuses a value that SQLite cannot hold rather than storing something else', async () => {
  await using database = await openDatabase<Tables>({ file: ':memory:', migrations })
  const text = true as unknown as string

  const insert = database.db.insertInto('note').values({ id: 1, text }).execute()

  await expect(insert).rejects.toThrow('SQLite cannot hold a boolean')
})

test('keeps a database in memory to itself, with commits, reads and streams', async () => {
  await using database = await openDatabase<Tables>({ file: ':memory:', migrations })
  await using other = await openDatabase<Tables>({ file: ':memory:', migrations })

  await database.commit(async (transaction) =>
    transaction.insertInto('note').values({ id: 1, text: 'mine' }).execute(),
  )

  const streamed = []
  for await (const row of database.db.selectFrom('note').select('text').stream()) streamed.push(row)
  expect(streamed).toEqual([{ text: 'mine' }])
  expect(await readTexts(other)).toEqual([])
})

test('streams what was there when the stream began, while reads see what comes', async () => {
  await using place = await createPlace()
  await using database = await place.open()
  const { db } = database
  const rows = ['a', 'b', 'c'].map((text, id) => ({ id, text }))
  await db.insertInto('note').values(rows).execute()

  const streamed: string[] = []
  for await (const { text } of db.selectFrom('note').select('text').orderBy('id').stream()) {
    streamed.push(text)
    const next = { id: 10 + streamed.length, text: 'new' }
    await db.insertInto('note').values(next).execute()
    const found = await db.selectFrom('note').select('id').where('id', '=', next.id).execute()
    expect(found).toHaveLength(1)
  }

  expect(streamed).toEqual(['a', 'b', 'c'])
})

test('waits for another process that writes, without keeping this one from going on', async () => {
  await using place = await createPlace()
  await using database = await place.open()
  using other = new DatabaseSync(place.file)
  other.exec("begin immediate; insert into note values (1, 'theirs')")

  const works = [
    database.commit(async (transaction) =>
      transaction.insertInto('note').values({ id: 2, text: 'ours' }).execute(),
    ),
    database.db.insertInto('note').values({ id: 3, text: 'also ours' }).execute(),
  ]
  // Answers although two writers wait.
  expect(await readTexts(database)).toEqual([])
  other.exec('commit')
  await Promise.all(works)

  expect(await readTexts(database)).toEqual(['theirs', 'ours', 'also ours'])
})

test('runs what a raw statement writes, whatever it starts with', async () => {
  await using place = await createPlace()
  await using database = await place.open()

  await sql`with row(id) as (select 1) insert into note select id, 'raw' from row`.execute(
    database.db,
  )

  expect(await readTexts(database)).toEqual(['raw'])
})

test('runs more distinct statements than it keeps prepared', async () => {
  await using place = await createPlace()
  await using database = await place.open()

  for (let n = 0; n < 600; n += 1) {
    const { rows } = await sql`select ${sql.lit(n)} as n`.execute(database.db)
    expect(rows).toEqual([{ n }])
  }
})
