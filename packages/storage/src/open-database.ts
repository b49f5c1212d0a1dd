import { Kysely, type CompiledQuery } from 'kysely'
import { SILENT, type ClosableAnnouncements } from './announcements.ts'
import { DatabaseOpenError, DatabaseUnavailableError } from './database-errors.ts'
import type { DatabaseSource } from './database-source.ts'
import type { Database } from './database.ts'
import { createGroupCommit } from './group-commit.ts'
import { isNewerSchema, migrate, type Migrations } from './migrate.ts'
import { createPostgresAnnouncements } from './postgres/postgres-announcements.ts'
import { openPostgres } from './postgres/open-postgres.ts'
import { openSqlite } from './sqlite/open-sqlite.ts'

/** Where a database is. */
export type DatabaseLocation =
  /** SQLite: a path, made with its folder when missing and readable by its owner only; or `:memory:`. */
  | { readonly file: string; readonly url?: undefined }
  /** PostgreSQL, like `postgres://user@host:5432/name`. Never shown with its password. */
  | { readonly url: string; readonly file?: undefined }

export type OpenDatabaseOptions = DatabaseLocation & { readonly migrations: Migrations }

/**
 * Opens a database and runs the migrations that it lacks.
 *
 * Throws `DatabaseOpenError` when it cannot be reached, is not a database, cannot be written, or was last
 * used by a newer version, whose migrations this one does not know.
 */
export async function openDatabase<Tables>(
  options: OpenDatabaseOptions,
): Promise<Database<Tables>> {
  const source = openSource(options)
  const db = new Kysely<Tables>({ dialect: source.dialect })
  try {
    await migrateSource(db, source, options.migrations)
  } catch (cause) {
    await db.destroy()
    const verb = cause instanceof DatabaseUnavailableError ? 'open' : 'migrate'
    const hint = isNewerSchema(cause)
      ? ' (it was last used by a newer version: start that one, or restore a backup)'
      : ''
    const text = `cannot ${verb} the database ${source.label}: ${toText(cause)}${hint}`
    throw new DatabaseOpenError(text, { cause })
  }
  const group = createGroupCommit(db)
  const announcements: ClosableAnnouncements =
    options.url === undefined ? SILENT : createPostgresAnnouncements(options.url)
  const close = async (): Promise<void> => {
    await announcements.close()
    await group.close()
    await db.destroy()
  }
  return {
    db,
    lendWriter: source.lendWriter,
    async read<Row>(query: CompiledQuery<Row>, parameters: readonly unknown[]) {
      const own: CompiledQuery<Row> = { ...query, parameters }
      return source.read === undefined ? (await db.executeQuery<Row>(own)).rows : source.read(own)
    },
    dialect: source.kind,
    commit: group.commit,
    announcements,
    close,
    [Symbol.asyncDispose]: close,
  }
}

function openSource({ file, url }: DatabaseLocation): DatabaseSource {
  try {
    return file === undefined ? openPostgres(url) : openSqlite(file)
  } catch (cause) {
    const label = file === undefined ? '' : ` ${file}`
    throw new DatabaseOpenError(`cannot open the database${label}: ${toText(cause)}`, { cause })
  }
}

async function migrateSource<Tables>(
  db: Kysely<Tables>,
  source: DatabaseSource,
  migrations: Migrations,
): Promise<void> {
  const { migrationDialect } = source
  const own = migrationDialect && new Kysely<Tables>({ dialect: migrationDialect })
  try {
    const lock = source.lockMigrations
    await migrate(own ?? db, { migrations, lock })
  } finally {
    await own?.destroy()
  }
}

/** What the driver said: an operator who starts a server must see why it does not. */
function toText(error: unknown): string {
  const cause = error instanceof DatabaseUnavailableError ? error.cause : error
  if (!(cause instanceof Error)) return String(cause)
  // Node's errors of a host with several addresses have no text of their own.
  if (cause instanceof AggregateError) return cause.errors.map(toText).join(', ')
  return cause.message
}
