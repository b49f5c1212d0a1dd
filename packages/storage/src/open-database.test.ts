import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { sql, type Kysely } from 'kysely'
import { describe, expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'
import {
  createDatabase,
  createNotes,
  DATABASE_ADAPTERS,
  readTexts,
  type DatabaseAdapter,
} from '../test-support/databases.ts'
import { columnTypes } from './index.ts'

const createIndex = {
  async up(db: Kysely<unknown>) {
    await db.schema.createIndex('note_text').on('note').column('text').execute()
  },
}

/** Runs a script in several processes at once; `openDatabase`, `sql` and `options` are there for it. */
async function runAtOnce(adapter: DatabaseAdapter, count: number, script: string) {
  await using folder = await createTemporaryFolder()
  await using place = await adapter.createPlace()
  const file = folder.file('script.mts')
  await writeFile(
    file,
    `import { openDatabase } from ${JSON.stringify(new URL('index.ts', import.meta.url).href)}
    import { sql } from ${JSON.stringify(import.meta.resolve('kysely'))}
    const options = ${JSON.stringify(place.location)}
    ${script}`,
  )
  const run = promisify(execFile)
  const runs = Array.from({ length: count }, async (_, index) =>
    run(process.execPath, ['--no-warnings', file, String(index)]),
  )
  const said = (await Promise.all(runs)).map(({ stderr }) => stderr)
  await using database = await place.open({ '001-a': createNotes })
  return { said, texts: await readTexts(database) }
}

describe.each(DATABASE_ADAPTERS)('openDatabase on $name', (adapter) => {
  test('keeps what was written when the database is opened again', async () => {
    await using place = await adapter.createPlace()
    const before = await place.open()
    await before.db.insertInto('note').values({ id: 1, text: 'kept' }).execute()
    await before.close()

    await using after = await place.open()

    expect(await after.db.selectFrom('note').selectAll().execute()).toEqual([
      { id: 1, text: 'kept' },
    ])
  })

  test('undoes a transaction that throws', async () => {
    await using database = await createDatabase(adapter)

    const work = database.db.transaction().execute(async (transaction) => {
      await transaction.insertInto('note').values({ id: 1, text: 'undone' }).execute()
      throw new Error('half way')
    })

    await expect(work).rejects.toThrow('half way')
    expect(await readTexts(database)).toEqual([])
  })

  test('undoes a part of a transaction to its savepoint', async () => {
    await using database = await createDatabase(adapter)
    const transaction = await database.db.startTransaction().execute()
    await transaction.insertInto('note').values({ id: 1, text: 'first' }).execute()

    const part = await transaction.savepoint('a "quoted" name').execute()
    await part.insertInto('note').values({ id: 2, text: 'second' }).execute()
    await part.rollbackToSavepoint('a "quoted" name').execute()
    await transaction.commit().execute()

    expect(await readTexts(database)).toEqual(['first'])
  })

  test('refuses a database that a newer version has migrated further', async () => {
    await using place = await adapter.createPlace()
    await (await place.open({ '001-a': createNotes, '002-b': createIndex })).close()

    const older = place.open({ '001-a': createNotes })

    await expect(older).rejects.toThrow(
      /cannot migrate the database .*002-b is missing \(it was last used by a newer version/,
    )
  })

  test('runs what is missing in a database of an older version, and keeps what is in it', async () => {
    await using place = await adapter.createPlace()
    const older = await place.open({ '001-a': createNotes })
    await older.db.insertInto('note').values({ id: 1, text: 'kept' }).execute()
    await older.close()

    await using newer = await place.open({ '001-a': createNotes, '002-b': createIndex })

    expect(await readTexts(newer)).toEqual(['kept'])
    const again = sql`create index note_text on note (text)`.execute(newer.db)
    await expect(again).rejects.toThrow(/already exists/)
  })

  test('leaves nothing of migrations when one of them fails half way', async () => {
    await using place = await adapter.createPlace()
    const broken = {
      async up(db: Kysely<unknown>) {
        await createIndex.up(db)
        throw new Error('half way')
      },
    }

    const opened = place.open({ '001-a': createNotes, '002-b': broken })
    await expect(opened).rejects.toThrow('half way')

    await using database = await place.open({ '001-a': createNotes })
    expect(await readTexts(database)).toEqual([])
  })

  test('lets processes that start at once on a new database agree on who migrates it', async () => {
    // The work is long enough that every process is at it before the first one is through.
    const { said, texts } = await runAtOnce(
      adapter,
      4,
      `const work = sql\`with recursive n(i) as (select 1 union all select i + 1 from n where i < 500000)
        select count(*) from n\`
      const up = async (db) => {
        await work.execute(db)
        await db.schema.createTable('note').addColumn('id', 'integer').addColumn('text', 'text').execute()
        await db.insertInto('note').values({ id: 1, text: 'once' }).execute()
      }
      await (await openDatabase({ ...options, migrations: { '001-a': { up } } })).close()`,
    ).catch((error: unknown) => ({ said: [String(error)], texts: [] }))

    expect(said).toEqual(['', '', '', ''])
    expect(texts).toEqual(['once'])
  })

  test('lets processes write to one database at once, and loses nothing', async () => {
    const { said, texts } = await runAtOnce(
      adapter,
      2,
      `const up = async (db) => {
        await db.schema.createTable('note').addColumn('id', 'integer').addColumn('text', 'text').execute()
      }
      const { db, commit, close } = await openDatabase({ ...options, migrations: { '001-a': { up } } })
      const first = Number(process.argv[2]) * 1000
      for (let id = first; id < first + 200; id += 2) {
        // Reading first is what ends a deferred transaction in 'database is locked'.
        const write = (id) => async (transaction) => {
          await transaction.selectFrom('note').select(sql\`count(*)\`.as('count')).execute()
          await transaction.insertInto('note').values({ id, text: 'x' }).execute()
        }
        await Promise.all([commit(write(id)), db.transaction().execute(write(id + 1))])
      }
      await close()`,
    )

    expect(said).toEqual(['', ''])
    expect(texts).toHaveLength(400)
  })
})

describe.each(DATABASE_ADAPTERS)('columnTypes on $name', (adapter) => {
  test('gives back bytes and numbers as they were, counts up keys, and orders by code point', async () => {
    await using place = await adapter.createPlace()
    await using database = await place.open({
      '001-things': {
        async up(db: Kysely<unknown>) {
          const { autoIncrement, bytes, integer, text } = columnTypes(db)
          await db.schema
            .createTable('thing')
            .addColumn('seq', integer, autoIncrement)
            .addColumn('name', text)
            .addColumn('hash', bytes)
            .addColumn('at', integer)
            .execute()
        },
      },
    })
    type Thing = { seq?: number; name: string; hash: Uint8Array; at: number }
    const db = database.db.withTables<{ thing: Thing }>()
    const hash = Uint8Array.of(0, 1, 255)

    for (const name of ['b', 'B', 'ä', 'a']) {
      await db.insertInto('thing').values({ name, hash, at: Number.MAX_SAFE_INTEGER }).execute()
    }
    await db.deleteFrom('thing').where('name', '=', 'a').execute()
    const { seq } = await db
      .insertInto('thing')
      .values({ name: 'a', hash, at: 1 })
      .returning('seq')
      .executeTakeFirstOrThrow()

    const rows = await db.selectFrom('thing').selectAll().orderBy('name').execute()
    expect(seq).toBe(5)
    expect(rows.map(({ name }) => name)).toEqual(['B', 'a', 'b', 'ä'])
    expect(rows[0]?.hash.constructor).toBe(Uint8Array)
    expect(rows[0]).toEqual({ seq: 2, name: 'B', hash, at: Number.MAX_SAFE_INTEGER })
  })

  test('throws for a number that a number cannot hold, rather than giving another one', async () => {
    await using database = await createDatabase(adapter)

    const read = sql`select 9007199254740993 as n`.execute(database.db)

    await expect(read).rejects.toThrow(RangeError)
  })
})
