// One connection of Node's own `node:sqlite`, so that no native add-on has to be built or downloaded.
// Preparing a statement costs more than running it, so prepared ones are kept.
import type { QueryResult } from 'kysely'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { isBusy } from './sqlite-unavailability.ts'

/** Distinct texts of SQL whose prepared statements are kept; the least recently used one goes. */
const MAX_STATEMENTS = 256

export type Query = { readonly sql: string; readonly parameters: readonly unknown[] }

export type SqliteConnection = {
  run<Row>(query: Query): QueryResult<Row>
  /** Yields row by row, on a statement of its own. */
  iterate(query: Query): IterableIterator<unknown>
  /** Whether a transaction is open: SQLite ends one by itself when, say, the disk is full. */
  isTransaction(): boolean
  close(): void
}

/**
 * Pages that the writer keeps, so that a database of gigabytes is written as fast as a small one: SQLite's own 2 MiB do not
 * hold the upper pages of its indexes. What a savepoint would undo is kept in memory as well (`temp_store`).
 */
const WRITER_CACHE_KIB = 65_536

/**
 * Pages in the log before they go to where they belong: 16 MiB. SQLite's own thousand are a few commits that many callers share;
 * pages that each of them writes go there once in this time.
 */
const CHECKPOINT_AFTER_PAGES = 4000

/** Opens the connection that writes. It never blocks the process to wait for a lock: it throws. */
export function openWriter(file: string): SqliteConnection {
  const database = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: true })
  try {
    // WAL with FULL: what was answered survives a power cut, and readers do not wait for the writer.
    enterWal(database)
    database.exec('PRAGMA synchronous = FULL; PRAGMA busy_timeout = 0')
    database.exec(`PRAGMA temp_store = MEMORY; PRAGMA cache_size = -${String(WRITER_CACHE_KIB)}`)
    database.exec(`PRAGMA wal_autocheckpoint = ${String(CHECKPOINT_AFTER_PAGES)}`)
  } catch (error) {
    database.close()
    throw error
  }
  return createConnection(database)
}

/** How long processes that begin with one file at the same moment wait for one another. */
const ENTER_WAL_WITHIN_MS = 5000
const ENTER_WAL_EVERY_MS = 5

/**
 * Switches the file to WAL. SQLite's own timeout does not help here: of two that switch a new file at
 * once, it refuses one without waiting, since both hold a lock that the other needs.
 */
function enterWal(database: DatabaseSync): void {
  const giveUpMs = performance.now() + ENTER_WAL_WITHIN_MS
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() >= giveUpMs) throw error
      // The process has nothing else to do yet: it is opening its database.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ENTER_WAL_EVERY_MS)
    }
  }
}

/** Opens a connection that sees what is committed, while the writer is at work. */
export function openReader(file: string): SqliteConnection {
  return createConnection(new DatabaseSync(file, { timeout: 5000, readOnly: true }))
}

type Prepared = { readonly statement: StatementSync; readonly hasRows: boolean }

function createConnection(database: DatabaseSync): SqliteConnection {
  const kept = new Map<string, Prepared>()

  function prepare(sql: string): Prepared {
    let prepared = kept.get(sql)
    if (prepared === undefined) {
      const statement = database.prepare(sql)
      prepared = { statement, hasRows: statement.columns().length > 0 }
      const [oldest] = kept.keys()
      if (kept.size >= MAX_STATEMENTS && oldest !== undefined) kept.delete(oldest)
    } else {
      kept.delete(sql)
    }
    kept.set(sql, prepared)
    return prepared
  }

  return {
    run<Row>({ sql, parameters }: Query): QueryResult<Row> {
      const { hasRows, statement } = prepare(sql)
      const values = parameters.map(toInputValue)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Kysely knows the row's type
      if (hasRows) return { rows: statement.all(...values) as Row[] }
      const { changes, lastInsertRowid } = statement.run(...values)
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
    },
    iterate: ({ sql, parameters }) =>
      database.prepare(sql).iterate(...parameters.map(toInputValue)),
    isTransaction: () => database.isTransaction,
    close: () => {
      kept.clear()
      database.close()
    },
  }
}

/** SQLite has no booleans and no `undefined`: a value it cannot hold is a bug and says so. */
function toInputValue(value: unknown): SQLInputValue {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  if (typeof value === 'bigint' || value instanceof Uint8Array) return value
  throw new TypeError(`SQLite cannot hold a ${typeof value}: convert it in the store`)
}
