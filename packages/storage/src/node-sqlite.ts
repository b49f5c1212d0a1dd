// Kysely speaks to SQLite through a driver with the shape of better-sqlite3; this is that shape over
// Node's own `node:sqlite`, so that no native add-on has to be built or downloaded.
import type { SqliteDatabase, SqliteStatement } from 'kysely'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'

/** How long a statement waits for another process that writes. */
const BUSY_TIMEOUT_MS = 5000

/** Statements kept ready, by their text: to prepare one costs more than to run it. */
const MAX_PREPARED = 500

/** Opens the file for Kysely. `:memory:` opens a database that nobody else sees. */
export function openNodeSqlite(file: string, { readOnly = false } = {}): SqliteDatabase {
  const database = new DatabaseSync(file, {
    timeout: BUSY_TIMEOUT_MS,
    enableForeignKeyConstraints: true,
    readOnly,
  })
  // WAL with FULL: what was answered survives a power cut, and readers do not wait for the writer.
  if (!readOnly) database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  const prepared = new Map<string, SqliteStatement>()
  return {
    close: () => {
      database.close()
    },
    prepare: (sql) => {
      const known = prepared.get(sql)
      if (known !== undefined) return known
      if (prepared.size >= MAX_PREPARED) prepared.clear()
      const statement = toStatement(database, sql)
      prepared.set(sql, statement)
      return statement
    },
  }
}

function toStatement(database: DatabaseSync, sql: string): SqliteStatement {
  const statement = database.prepare(sql)
  const bind = (parameters: readonly unknown[]): SQLInputValue[] => parameters.map(toInputValue)
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...bind(parameters)),
    run: (parameters) => statement.run(...bind(parameters)),
    // A statement of its own: one that is kept would be run again while it is read from.
    iterate: (parameters) => database.prepare(sql).iterate(...bind(parameters)),
  }
}

/** SQLite has no booleans and no `undefined`: a value it cannot hold is a bug and says so. */
function toInputValue(value: unknown): SQLInputValue {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  if (typeof value === 'bigint' || value instanceof Uint8Array) return value
  throw new TypeError(`SQLite cannot hold a ${typeof value}: convert it in the store`)
}
