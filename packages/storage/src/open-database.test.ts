import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Kysely } from 'kysely'
import { describe, expect, test } from 'vitest'
import { openDatabase } from './index.ts'

type Tables = { note: { id: number; text: string } }

const first = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('note')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('text', 'text', (column) => column.notNull())
      .execute()
  },
}
const second = {
  async up(db: Kysely<unknown>) {
    await db.schema.createIndex('note_text').on('note').column('text').execute()
  },
}

async function createFolder() {
  const path = await mkdtemp(join(tmpdir(), 'deputy-storage-'))
  return { path, [Symbol.asyncDispose]: async () => rm(path, { recursive: true }) }
}

describe('openDatabase', () => {
  test('keeps what was written when the file is opened again', async () => {
    await using folder = await createFolder()
    const options = { file: join(folder.path, 'a', 'notes.sqlite'), migrations: { '001-a': first } }
    const before = await openDatabase<Tables>(options)
    await before.db.insertInto('note').values({ id: 1, text: 'kept' }).execute()
    await before.close()

    await using after = await openDatabase<Tables>(options)

    expect(await after.db.selectFrom('note').selectAll().execute()).toEqual([
      { id: 1, text: 'kept' },
    ])
  })

  test('makes a file that only its owner can read', async () => {
    await using folder = await createFolder()
    const file = join(folder.path, 'notes.sqlite')

    await using _database = await openDatabase<Tables>({ file, migrations: { '001-a': first } })

    expect((await stat(file)).mode & 0o077).toBe(0)
  })

  test('undoes a transaction that throws', async () => {
    await using database = await openDatabase<Tables>({
      file: ':memory:',
      migrations: { '001-a': first },
    })

    const work = database.db.transaction().execute(async (transaction) => {
      await transaction.insertInto('note').values({ id: 1, text: 'undone' }).execute()
      throw new Error('half way')
    })

    await expect(work).rejects.toThrow('half way')
    expect(await database.db.selectFrom('note').selectAll().execute()).toEqual([])
  })

  test('refuses a file that a newer version has migrated further', async () => {
    await using folder = await createFolder()
    const file = join(folder.path, 'notes.sqlite')
    const newer = await openDatabase<Tables>({
      file,
      migrations: { '001-a': first, '002-b': second },
    })
    await newer.close()

    const older = openDatabase<Tables>({ file, migrations: { '001-a': first } })

    await expect(older).rejects.toThrow(/newer version/)
  })

  test('lets processes that start at once on a new file agree on who migrates it', async () => {
    await using folder = await createFolder()
    const script = join(folder.path, 'start.mts')
    await writeFile(
      script,
      `import { openDatabase } from ${JSON.stringify(import.meta.resolve('./index.ts'))}
      import { sql } from ${JSON.stringify(import.meta.resolve('kysely'))}
      // Long enough that every process is at it before the first one is through.
      const work = sql\`with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000)
        select count(*) from n\`
      const up = async (db) => {
        await work.execute(db)
        await db.schema.createTable('note').addColumn('id', 'integer').execute()
      }
      await (await openDatabase({ file: process.argv[2], migrations: { '001-a': { up } } })).close()
      `,
    )
    const start = promisify(execFile)

    const starts = Array.from({ length: 4 }, async () =>
      start(process.execPath, ['--no-warnings', script, join(folder.path, 'notes.sqlite')]),
    )

    expect((await Promise.all(starts)).map(({ stderr }) => stderr)).toEqual(['', '', '', ''])
  })

  test('leaves nothing of a migration that fails half way', async () => {
    await using folder = await createFolder()
    const file = join(folder.path, 'notes.sqlite')
    const broken = {
      async up(db: Kysely<unknown>) {
        await second.up(db)
        throw new Error('half way')
      },
    }

    const opened = openDatabase<Tables>({ file, migrations: { '001-a': first, '002-b': broken } })
    await expect(opened).rejects.toThrow('half way')

    await using database = await openDatabase<Tables>({ file, migrations: { '001-a': first } })
    expect(await database.db.selectFrom('note').selectAll().execute()).toEqual([])
  })

  test('names a file that is not a database', async () => {
    await using folder = await createFolder()
    const file = join(folder.path, 'notes.sqlite')
    await writeFile(file, 'this is a shopping list, not a database. '.repeat(50))

    const opened = openDatabase<Tables>({ file, migrations: { '001-a': first } })

    await expect(opened).rejects.toThrow(`cannot open the database ${file}`)
  })

  test('refuses a value that SQLite cannot hold rather than storing something else', async () => {
    await using database = await openDatabase<Tables>({
      file: ':memory:',
      migrations: { '001-a': first },
    })
    const text = true as unknown as string

    const insert = database.db.insertInto('note').values({ id: 1, text }).execute()

    await expect(insert).rejects.toThrow('SQLite cannot hold a boolean')
  })
})
