import { sql, type Transaction } from 'kysely'
import { describe, expect, test } from 'vitest'
import {
  createDatabase,
  DATABASE_ADAPTERS,
  readTexts,
  type Tables,
} from '../test-support/databases.ts'

const insert =
  (id: number, text = `note ${String(id)}`) =>
  async (transaction: Transaction<Tables>): Promise<number> => {
    await transaction.insertInto('note').values({ id, text }).execute()
    return id
  }
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)

describe.each(DATABASE_ADAPTERS)('commit on $name', (adapter) => {
  test('resolves to what the work returned, once others can read what it wrote', async () => {
    await using place = await adapter.createPlace()
    await using database = await place.open()
    await using other = await place.open()

    const returned = await database.commit(insert(7))

    expect(returned).toBe(7)
    expect(await readTexts(other)).toEqual(['note 7'])
  })

  test('loses nothing of many works at once, and runs one at a time, in the order of the calls', async () => {
    await using database = await createDatabase(adapter)
    const started: number[] = []
    let running = 0
    let most = 0

    const returned = await Promise.all(
      range(600).map(async (id) =>
        database.commit(async (transaction) => {
          started.push(id)
          running += 1
          most = Math.max(most, running)
          await insert(id)(transaction)
          running -= 1
          return id
        }),
      ),
    )

    expect(returned).toEqual(range(600))
    expect(started).toEqual(range(600))
    expect(most).toBe(1)
    expect(await readTexts(database)).toHaveLength(600)
  })

  test('puts works that come together into one transaction, and no more than 256', async () => {
    await using database = await createDatabase(adapter)
    const transactions = new Map<Transaction<Tables>, number>()

    await Promise.all(
      range(300).map(async (id) =>
        database.commit(async (transaction) => {
          transactions.set(transaction, (transactions.get(transaction) ?? 0) + 1)
          await insert(id)(transaction)
        }),
      ),
    )

    expect([...transactions.values()]).toEqual([256, 44])
  })

  test('lets a work see what the works before it wrote', async () => {
    await using database = await createDatabase(adapter)
    const count = async (transaction: Transaction<Tables>): Promise<number> =>
      (await transaction.selectFrom('note').select('id').execute()).length

    const [, seen] = await Promise.all([database.commit(insert(1)), database.commit(count)])

    expect(seen).toBe(1)
  })

  test('undoes what a work wrote that rejects, and nothing else', async () => {
    await using database = await createDatabase(adapter)

    const outcomes = await Promise.allSettled([
      database.commit(insert(1)),
      database.commit(async (transaction) => {
        await insert(2)(transaction)
        throw new Error('changed my mind')
      }),
      database.commit(insert(3)),
    ])

    expect(outcomes).toEqual([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: new Error('changed my mind') },
      { status: 'fulfilled', value: 3 },
    ])
    expect(await readTexts(database)).toEqual(['note 1', 'note 3'])
  })

  test('undoes a work that is by itself when it rejects', async () => {
    await using database = await createDatabase(adapter)

    const work = database.commit(async (transaction) => {
      await insert(1)(transaction)
      throw new Error('changed my mind')
    })

    await expect(work).rejects.toThrow('changed my mind')
    expect(await readTexts(database)).toEqual([])
  })

  test('goes on with the others when the database refuses what one work writes', async () => {
    await using database = await createDatabase(adapter)

    const outcomes = await Promise.allSettled([1, 2, 2, 3].map((id) => database.commit(insert(id))))

    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
    expect(await readTexts(database)).toEqual(['note 1', 'note 2', 'note 3'])
  })

  test('lets exactly one of many works win what only one can have', async () => {
    // Attack: one proof is presented many times at once, so that each finds it unused.
    await using place = await adapter.createPlace()
    await using one = await place.open()
    await using two = await place.open()

    const outcomes = await Promise.all(
      range(40).map(async (i) =>
        (i % 2 === 0 ? one : two).commit(async (transaction) => {
          const result = await transaction
            .insertInto('note')
            .values({ id: 1, text: 'claimed' })
            .onConflict((conflict) => conflict.column('id').doNothing())
            .executeTakeFirstOrThrow()
          return result.numInsertedOrUpdatedRows === 1n
        }),
      ),
    )

    expect(outcomes.filter(Boolean)).toHaveLength(1)
  })

  test('tells nobody of success when the commit itself fails, and keeps nothing', async () => {
    await using database = await createDatabase(adapter)
    await sql`create table parent (id integer primary key)`.execute(database.db)
    await sql`create table child (
      parent_id integer references parent (id) deferrable initially deferred
    )`.execute(database.db)

    const outcomes = await Promise.allSettled([
      database.commit(insert(1)),
      database.commit(async (transaction) =>
        sql`insert into child (parent_id) values (1)`.execute(transaction),
      ),
      database.commit(insert(2)),
    ])

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(await readTexts(database)).toEqual([])
    expect(await database.commit(insert(3))).toBe(3)
  })

  test('lets reads go on while a commit is under way, which see nothing of it', async () => {
    await using database = await createDatabase(adapter)
    const { promise: isRead, resolve: proceed } = Promise.withResolvers<void>()

    const work = database.commit(async (transaction) => {
      await insert(1)(transaction)
      await isRead
    })
    const before = await readTexts(database)
    proceed()
    await work

    expect([before, await readTexts(database)]).toEqual([[], ['note 1']])
  })

  test('finishes what was accepted before it closes, and accepts nothing after', async () => {
    await using place = await adapter.createPlace()
    const database = await place.open()
    const accepted = Promise.all(range(20).map(async (id) => database.commit(insert(id))))

    await database.close()

    await expect(database.commit(insert(21))).rejects.toThrow('the database is closed')
    expect(await accepted).toHaveLength(20)
    await using again = await place.open()
    expect(await readTexts(again)).toHaveLength(20)
  })
})
