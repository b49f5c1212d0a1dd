import { PostgresDialect, type Dialect } from 'kysely'
import { Pool, TypeOverrides } from 'pg'

/** Type ids of PostgreSQL. */
const BYTEA = 17
const INT8 = 20

/** Connections of one server at most; PostgreSQL's own default for all is 100. */
const MAX_CONNECTIONS = 10

/** How long to wait for a connection, and for one statement: a database that is gone is said to be gone. */
const CONNECT_TIMEOUT_MS = 3000
const STATEMENT_TIMEOUT_MS = 10_000

/** Creates the dialect for a `postgres://` URL. Connects on first use, and again whenever it has to. */
export function createPostgresDialect(url: string): Dialect {
  const pool = new Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    // Longer than the server's own limit: it ends a query whose server does not answer any more.
    query_timeout: STATEMENT_TIMEOUT_MS + 2000,
    keepAlive: true,
    application_name: 'deputy',
    types: createTypes(),
  })
  // An idle connection that ends (a restart of the database) must not end the process.
  pool.on('error', () => undefined)
  return new PostgresDialect({ pool })
}

/** Reads values into what SQLite gives: the stores know no difference. */
function createTypes(): TypeOverrides {
  const overrides = new TypeOverrides()
  overrides.setTypeParser(INT8, parseInt8)
  overrides.setTypeParser(BYTEA, parseBytes)
  return overrides
}

/** Bytes are plain `Uint8Array`s, as SQLite gives them. PostgreSQL writes them as `\\x` and hex. */
function parseBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.slice(2), 'hex'))
}

/** Times, counts and ids are numbers here as they are on SQLite; one that a number cannot hold is a bug. */
function parseInt8(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value)) return value
  throw new RangeError(`a number cannot hold ${text}`)
}
