// SQLite for Kysely with one writer and one reader: a transaction has the writer to itself and takes
// the file's write lock as it begins, and what only reads does not wait for it.
import {
  SelectQueryNode,
  SqliteAdapter,
  SqliteDialect,
  SqliteDriver,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
} from 'kysely'
import { CompiledQuery as Query } from 'kysely'
import { createLock } from './lock.ts'
import { openNodeSqlite } from './node-sqlite.ts'

/** Creates the dialect for a file or `:memory:`. Opens it at once, so that a file that is none throws here. */
export function createSqliteDialect(file: string): Dialect {
  const database = openNodeSqlite(file)
  // A database in memory is seen by its one connection only.
  const reading = file === ':memory:' ? undefined : openNodeSqlite(file, { readOnly: true })
  const base = new SqliteDialect({ database })
  return {
    createAdapter: () => new NodeSqliteAdapter(),
    createDriver: () =>
      createDriver(
        new SqliteDriver({ database }),
        reading && new SqliteDriver({ database: reading }),
      ),
    createIntrospector: (db) => base.createIntrospector(db),
    createQueryCompiler: () => base.createQueryCompiler(),
  }
}

/** What Kysely may rely on. Its own adapter for SQLite is careful for the sake of other drivers. */
class NodeSqliteAdapter extends SqliteAdapter {
  // The driver below keeps connections apart by itself.
  override get supportsMultipleConnections(): boolean {
    return true
  }
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

function createDriver(writer: SqliteDriver, reader: SqliteDriver | undefined): Driver {
  const lock = createLock()
  const inTransaction = new WeakSet<DatabaseConnection>()
  let writing: DatabaseConnection | undefined
  let reading: DatabaseConnection | undefined

  async function run<Row>(connection: DatabaseConnection, query: CompiledQuery) {
    if (writing === undefined) throw new TypeError('the database is not open')
    if (inTransaction.has(connection)) return writing.executeQuery<Row>(query)
    if (reading !== undefined && SelectQueryNode.is(query.query)) {
      return reading.executeQuery<Row>(query)
    }
    const release = await lock.acquire()
    try {
      return await writing.executeQuery<Row>(query)
    } finally {
      release()
    }
  }

  const releases = new WeakMap<DatabaseConnection, () => void>()
  const leave = (connection: DatabaseConnection): void => {
    inTransaction.delete(connection)
    releases.get(connection)?.()
    releases.delete(connection)
  }

  return {
    async init() {
      await writer.init()
      await reader?.init()
      writing = await writer.acquireConnection()
      reading = await reader?.acquireConnection()
    },

    async acquireConnection() {
      const connection: DatabaseConnection = {
        executeQuery: async (query) => run(connection, query),
        async *streamQuery(query, chunkSize) {
          const from = inTransaction.has(connection) ? writing : (reading ?? writing)
          if (from !== undefined) yield* from.streamQuery(query, chunkSize)
        },
      }
      return connection
    },

    async beginTransaction(connection) {
      const release = await lock.acquire()
      releases.set(connection, release)
      inTransaction.add(connection)
      try {
        // Attack on uptime prevented: a transaction that reads first and writes later fails at once
        // with "database is locked" when another process wrote in between. One that begins so waits.
        await connection.executeQuery(Query.raw('begin immediate'))
      } catch (error) {
        leave(connection)
        throw error
      }
    },

    async commitTransaction(connection) {
      await connection.executeQuery(Query.raw('commit'))
      leave(connection)
    },

    async rollbackTransaction(connection) {
      try {
        await connection.executeQuery(Query.raw('rollback'))
      } catch {
        // After some faults (a full disk) SQLite has rolled back by itself, and says that there is
        // nothing to roll back. The fault that led here is the one to tell.
      } finally {
        leave(connection)
      }
    },

    savepoint: async (connection, name, compile) => writer.savepoint(connection, name, compile),
    rollbackToSavepoint: async (connection, name, compile) =>
      writer.rollbackToSavepoint(connection, name, compile),
    releaseSavepoint: async (connection, name, compile) =>
      writer.releaseSavepoint(connection, name, compile),

    async releaseConnection() {
      // A connection is no more than a place in the queue for the writer.
    },

    async destroy() {
      await reader?.destroy()
      await writer.destroy()
    },
  }
}
