// Kysely speaks to SQLite through a driver with the shape of better-sqlite3; this is that shape over
// Node's own `node:sqlite`, so that no native add-on has to be built or downloaded.
import type { SqliteDatabase, SqliteStatement } from 'kysely'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'

/** Opens the file for Kysely's `SqliteDialect`. `:memory:` opens a database that nobody else sees. */
export function openNodeSqlite(file: string): SqliteDatabase {
  const database = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: true })
  // WAL with FULL: what was answered survives a power cut, and readers do not wait for the writer.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  return {
    close: () => {
      database.close()
    },
    prepare: (sql) => toStatement(database, sql),
  }
}

function toStatement(database: DatabaseSync, sql: string): SqliteStatement {
  const statement = database.prepare(sql)
  const bind = (parameters: readonly unknown[]): SQLInputValue[] => parameters.map(toInputValue)
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...bind(parameters)),
    run: (parameters) => statement.run(...bind(parameters)),
    iterate: (parameters) => statement.iterate(...bind(parameters)),
  }
}

/** SQLite has no booleans and no `undefined`: a value it cannot hold is a bug and says so. */
function toInputValue(value: unknown): SQLInputValue {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  if (typeof value === 'bigint' || value instanceof Uint8Array) return value
  throw new TypeError(`SQLite cannot hold a ${typeof value}: convert it in the store`)
}
