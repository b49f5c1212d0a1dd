// The pool of `pg`, told to wait for nothing without end.
import { Pool, type PoolConfig } from 'pg'
import { createPostgresTypes } from './postgres-types.ts'

export type PostgresPoolOptions = {
  readonly maxConnections: number
  /** How long a statement may take, and how long a transaction may do nothing; for ever if undefined. */
  readonly statementTimeoutMs: number | undefined
}

/** How long to wait for a connection: a new one, or one that others use. */
const CONNECT_TIMEOUT_MS = 5000
/** How much later than the server we give up, in case that it says nothing any more. */
const GRACE_MS = 2000

/** Creates the pool. It connects when it is first asked to. */
export function createPostgresPool(url: string, options: PostgresPoolOptions): Pool {
  const pool = new Pool(toConfig(url, options))
  // An unused connection broke: the pool has dropped it, and the next query makes another. Without a
  // listener, Node would end the process.
  pool.on('error', () => {})
  return pool
}

function toConfig(url: string, options: PostgresPoolOptions): PoolConfig {
  const { maxConnections, statementTimeoutMs } = options
  return {
    connectionString: url,
    fallback_application_name: 'deputy',
    max: maxConnections,
    keepAlive: true,
    types: createPostgresTypes(),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...(statementTimeoutMs !== undefined && {
      statement_timeout: statementTimeoutMs,
      // The locks of a process that stopped half way are given back.
      idle_in_transaction_session_timeout: statementTimeoutMs,
      query_timeout: statementTimeoutMs + GRACE_MS,
    }),
  }
}
