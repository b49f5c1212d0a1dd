import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Kysely, sql, SqliteDialect } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'
import { openNodeSqlite } from './node-sqlite.ts'

/** An open, migrated database. `db` is Kysely; `close` waits for running work. */
export type Database<Tables> = {
  readonly db: Kysely<Tables>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export type OpenDatabaseOptions = {
  /** A path, made with its folder when missing and readable by its owner only; or `:memory:`. */
  readonly file: string
  /** By name, like `001-create-agents`; run in the order of their names, each once, forward only. */
  readonly migrations: Readonly<Record<string, Migration>>
}

/** The database could not be opened or brought up to date. The message says which and what to do. */
export class DatabaseOpenError extends Error {
  override readonly name = 'DatabaseOpenError'
  readonly code = 'database_open_failed'
}

/**
 * Opens a SQLite database and runs the migrations that it lacks.
 *
 * Throws `DatabaseOpenError` when the file is not a database, cannot be written, or was last used by
 * a newer version, whose migrations this one does not know.
 */
export async function openDatabase<Tables>(
  options: OpenDatabaseOptions,
): Promise<Database<Tables>> {
  const { file, migrations } = options
  let db: Kysely<Tables>
  try {
    const database = openFile(file)
    db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) })
  } catch (cause) {
    throw new DatabaseOpenError(`cannot open the database ${file}: ${toText(cause)}`, { cause })
  }
  try {
    await migrate(db, migrations)
  } catch (cause) {
    await db.destroy()
    const hint = /corrupted migrations|missing/i.test(toText(cause))
      ? ' (it was last used by a newer version: start that one, or restore a backup)'
      : ''
    throw new DatabaseOpenError(`cannot migrate the database ${file}: ${toText(cause)}${hint}`, {
      cause,
    })
  }
  const close = async (): Promise<void> => db.destroy()
  return { db, close, [Symbol.asyncDispose]: close }
}

/**
 * Runs what is missing, all or nothing, under the file's write lock: of two processes that start on a
 * new file at the same moment, the second waits for the first and finds nothing to do.
 */
async function migrate<Tables>(
  db: Kysely<Tables>,
  migrations: OpenDatabaseOptions['migrations'],
): Promise<void> {
  // One connection is all that there is, so what the migrator runs is inside of this transaction.
  await sql`begin immediate`.execute(db)
  try {
    const migrator = new Migrator({
      db,
      provider: { getMigrations: async () => ({ ...migrations }) },
      disableTransactions: true,
    })
    const { error } = await migrator.migrateToLatest()
    if (error !== undefined) throw error
    await sql`commit`.execute(db)
  } catch (error) {
    await sql`rollback`.execute(db)
    throw error
  }
}

function openFile(file: string): ReturnType<typeof openNodeSqlite> {
  if (file === ':memory:') return openNodeSqlite(file)
  const isNew = !existsSync(file)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const database = openNodeSqlite(file)
  if (isNew) chmodSync(file, 0o600)
  return database
}

function toText(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
