// The databases that every suite of this package runs on.
import type { Kysely } from 'kysely'
import { createPostgresDatabase, postgresUrl } from '../../../test/support/postgres-database.ts'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'
import {
  columnTypes,
  openDatabase,
  type Database,
  type DatabaseLocation,
  type Migrations,
} from '../src/index.ts'

export type Tables = { note: { id: number; text: string } }

export const createNotes = {
  async up(db: Kysely<unknown>) {
    const { integer, text } = columnTypes(db)
    await db.schema
      .createTable('note')
      .addColumn('id', integer, (column) => column.primaryKey())
      .addColumn('text', text, (column) => column.notNull())
      .execute()
  },
}

/** An empty database. `open` may be called again, also while it is open already. */
export type DatabasePlace = AsyncDisposable & {
  readonly location: DatabaseLocation
  open(migrations?: Migrations): Promise<Database<Tables>>
}

export type DatabaseAdapter = { readonly name: string; createPlace(): Promise<DatabasePlace> }

const sqlite: DatabaseAdapter = {
  name: 'SQLite',
  async createPlace() {
    const folder = await createTemporaryFolder()
    return createPlaceAt({ file: folder.file('notes.sqlite') }, folder)
  },
}

const createPostgres = (serverUrl: string): DatabaseAdapter => ({
  name: 'PostgreSQL',
  async createPlace() {
    const database = await createPostgresDatabase(serverUrl)
    return createPlaceAt({ url: database.url }, database)
  },
})

function createPlaceAt(location: DatabaseLocation, place: AsyncDisposable): DatabasePlace {
  return {
    location,
    open: async (migrations = { '001-notes': createNotes }) =>
      openDatabase<Tables>({ ...location, migrations }),
    [Symbol.asyncDispose]: async () => place[Symbol.asyncDispose](),
  }
}

export const DATABASE_ADAPTERS: readonly DatabaseAdapter[] = [
  sqlite,
  ...(postgresUrl === undefined ? [] : [createPostgres(postgresUrl)]),
]

/** An open database with an empty table of notes, gone with the test. */
export async function createDatabase(
  adapter: DatabaseAdapter,
): Promise<Database<Tables> & AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  const place = stack.use(await adapter.createPlace())
  const database = stack.use(await place.open())
  const resources = stack.move()
  return { ...database, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

/** The texts of all notes, in the order of their ids. */
export async function readTexts({ db }: Pick<Database<Tables>, 'db'>): Promise<string[]> {
  const rows = await db.selectFrom('note').select('text').orderBy('id').execute()
  return rows.map(({ text }) => text)
}
