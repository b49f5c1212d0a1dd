// PostgreSQL as Kysely sees it: its own adapter for the language, our driver for the connections.
import {
  AbortedTransactionError,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type TransactionSettings,
} from 'kysely'
import { createPostgresPool, type PostgresPoolOptions } from './postgres-pool.ts'
import { PostgresSession } from './postgres-session.ts'
import { toPostgresError } from './postgres-unavailability.ts'

/** Creates the dialect for the database at the URL. It connects with the first query. */
export function createPostgresDialect(url: string, options: PostgresPoolOptions): Dialect {
  return {
    createAdapter: () => new LockedPostgresAdapter(),
    createDriver: () => createDriver(url, options),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}

/** Whoever migrates holds a lock already, that ends with the transaction. */
class LockedPostgresAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {
    // Kysely's lock outlives a transaction, and cannot be given back in one that failed.
  }

  override async releaseMigrationLock(): Promise<void> {
    // It ends with the transaction.
  }
}

function createDriver(url: string, options: PostgresPoolOptions): Driver {
  const pool = createPostgresPool(url, options)
  const run = async (connection: DatabaseConnection, sql: string): Promise<string> =>
    (await toSession(connection).run(sql)).command
  return {
    async init() {
      // The pool connects by itself, as often as it must.
    },
    async acquireConnection() {
      try {
        return new PostgresSession(await pool.connect())
      } catch (error) {
        throw toPostgresError(error)
      }
    },
    async beginTransaction(connection, settings) {
      await run(connection, toBegin(settings))
    },
    async commitTransaction(connection) {
      // A transaction that failed ends with a rollback, and PostgreSQL does not call that an error.
      if ((await run(connection, 'commit')) === 'ROLLBACK') throw new AbortedTransactionError()
    },
    rollbackTransaction: async (connection) => toSession(connection).rollback(),
    async savepoint(connection, name) {
      await run(connection, `savepoint ${quote(name)}`)
    },
    async rollbackToSavepoint(connection, name) {
      await run(connection, `rollback to savepoint ${quote(name)}`)
    },
    async releaseSavepoint(connection, name) {
      await run(connection, `release savepoint ${quote(name)}`)
    },
    async releaseConnection(connection) {
      toSession(connection).release()
    },
    destroy: async () => pool.end(),
  }
}

function toBegin({ accessMode, isolationLevel }: TransactionSettings): string {
  const isolation = isolationLevel === undefined ? '' : ` isolation level ${isolationLevel}`
  return `begin${isolation}${accessMode === undefined ? '' : ` ${accessMode}`}`
}

function toSession(connection: DatabaseConnection): PostgresSession {
  if (connection instanceof PostgresSession) return connection
  throw new TypeError('this connection belongs to another driver')
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`
