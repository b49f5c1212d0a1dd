import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Kysely } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'
import { createGroupCommit, type Commit } from './group-commit.ts'
import { createPostgresDialect } from './postgres-dialect.ts'
import { createSqliteDialect } from './sqlite-dialect.ts'
import { translateFaults } from './unavailable.ts'

/** An open, migrated database. */
export type Database<Tables> = {
  /** Faults of the surroundings reject with `DatabaseUnavailableError`. */
  readonly db: Kysely<Tables>
  /**
   * Runs work in a write transaction that it may share with other works; resolves once it is on disk.
   * When it rejects, only what it wrote is undone.
   */
  readonly commit: Commit<Tables>
  /** Waits for running work. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Where a database is. */
export type DatabaseLocation =
  /** SQLite: a path, made with its folder when missing and readable by its owner only; or `:memory:`. */
  | { readonly file: string }
  /** PostgreSQL: `postgres://user@host/name`. */
  | { readonly url: string }

export type OpenDatabaseOptions = DatabaseLocation & {
  /** By name, like `001-create-agents`; run in the order of their names, each once, forward only. */
  readonly migrations: Readonly<Record<string, Migration>>
}

/** The database could not be opened or brought up to date. The message says which and what to do. */
export class DatabaseOpenError extends Error {
  override readonly name = 'DatabaseOpenError'
  readonly code = 'database_open_failed'
}

/**
 * Opens a database and runs the migrations that it lacks, all or nothing and under a lock: of two
 * processes that start on a new one at the same moment, the second waits and finds nothing to do.
 *
 * Throws `DatabaseOpenError` when it cannot be reached or is no database, cannot be written, or was
 * last used by a newer version, whose migrations this one does not know.
 */
export async function openDatabase<Tables>(
  options: OpenDatabaseOptions,
): Promise<Database<Tables>> {
  const where = describeLocation(options)
  let db: Kysely<Tables>
  try {
    db = new Kysely<Tables>({ dialect: translateFaults(createDialect(options)) })
  } catch (cause) {
    throw new DatabaseOpenError(`cannot open the database ${where}: ${toText(cause)}`, { cause })
  }
  try {
    await migrate(db, options.migrations)
  } catch (cause) {
    await db.destroy()
    const hint = /corrupted migrations|missing/i.test(toText(cause))
      ? ' (it was last used by a newer version: start that one, or restore a backup)'
      : ''
    throw new DatabaseOpenError(`cannot migrate the database ${where}: ${toText(cause)}${hint}`, {
      cause,
    })
  }
  const close = async (): Promise<void> => db.destroy()
  return { db, commit: createGroupCommit(db), close, [Symbol.asyncDispose]: close }
}

async function migrate<Tables>(
  db: Kysely<Tables>,
  migrations: OpenDatabaseOptions['migrations'],
): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...migrations }) },
  })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw error
}

function createDialect(location: DatabaseLocation) {
  return 'url' in location ? createPostgresDialect(location.url) : openFile(location.file)
}

function openFile(file: string) {
  if (file === ':memory:') return createSqliteDialect(file)
  const isNew = !existsSync(file)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const dialect = createSqliteDialect(file)
  if (isNew) chmodSync(file, 0o600)
  return dialect
}

/** Names the place without what is secret in a URL. */
function describeLocation(location: DatabaseLocation): string {
  if ('file' in location) return location.file
  const url = URL.parse(location.url)
  return url === null ? '(not a URL)' : `${url.protocol}//${url.host}${url.pathname}`
}

function toText(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
