// Tells faults of the surroundings (the database is gone, the disk is full) from bugs, in one place, so
// that a server can answer 503 to the former.
import type { DatabaseConnection, Dialect, Driver } from 'kysely'

/** The database cannot be reached or written right now. What was under way was not written. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError'
  readonly code = 'database_unavailable'
}

/** SQLite's primary result codes (sqlite.org/rescode.html): busy, read-only, I/O, full, cannot open. */
const SQLITE_CODES = new Set([5, 8, 10, 13, 14])

/** What the network says. */
const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
])

/**
 * PostgreSQL's (appendix A of its manual): connection, resources (a full disk is 53100), operator
 * intervention, read-only, and a transaction that lost against another.
 */
const POSTGRES_CODES = /^(?:08|53|57)[0-9A-Z]{3}$|^25006$|^40001$|^40P01$/

/** What pg says without a code. */
const POSTGRES_TEXTS =
  /connection terminated|timeout exceeded when trying to connect|read timeout|not queryable/i

/** Whether the error says that the database cannot be reached or written. */
function isFaultOfSurroundings(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ('errcode' in error && typeof error.errcode === 'number') {
    return SQLITE_CODES.has(error.errcode & 0xff)
  }
  if ('code' in error && typeof error.code === 'string') {
    return NETWORK_CODES.has(error.code) || POSTGRES_CODES.test(error.code)
  }
  return POSTGRES_TEXTS.test(error.message)
}

/** Passes an error on as it is, or as `DatabaseUnavailableError`. */
function translate(error: unknown): unknown {
  if (!isFaultOfSurroundings(error)) return error
  const detail = error instanceof Error ? error.message : 'no reason given'
  return new DatabaseUnavailableError(`the database is unavailable: ${detail}`, { cause: error })
}

async function translating<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    throw translate(error)
  }
}

/** The same dialect, whose faults of the surroundings are `DatabaseUnavailableError`. */
export function translateFaults(dialect: Dialect): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => translateDriver(dialect.createDriver()),
  }
}

function translateDriver(driver: Driver): Driver {
  const seen = new WeakSet<DatabaseConnection>()

  return {
    init: async (options) => translating(async () => driver.init(options)),
    acquireConnection: async (options) => {
      const connection = await translating(async () => driver.acquireConnection(options))
      // A pool hands out the same ones again.
      if (!seen.has(connection)) {
        const execute = connection.executeQuery.bind(connection)
        connection.executeQuery = async (query, settings) =>
          translating(async () => execute(query, settings))
        seen.add(connection)
      }
      return connection
    },
    beginTransaction: async (connection, settings) =>
      translating(async () => driver.beginTransaction(connection, settings)),
    commitTransaction: async (connection) =>
      translating(async () => driver.commitTransaction(connection)),
    rollbackTransaction: async (connection) =>
      translating(async () => driver.rollbackTransaction(connection)),
    savepoint: async (connection, name, compile) => driver.savepoint?.(connection, name, compile),
    rollbackToSavepoint: async (connection, name, compile) =>
      driver.rollbackToSavepoint?.(connection, name, compile),
    releaseSavepoint: async (connection, name, compile) =>
      driver.releaseSavepoint?.(connection, name, compile),
    releaseConnection: async (connection, options) => driver.releaseConnection(connection, options),
    destroy: async (options) => driver.destroy(options),
  }
}
