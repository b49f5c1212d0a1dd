// SQLite as Kysely sees it: its own adapter for the language, our driver for the connections.
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type SelectModifierNode,
} from 'kysely'
import type { DatabaseSource } from '../database-source.ts'
import { createLock } from './lock.ts'
import { SqliteSession, type SqliteConnections } from './sqlite-session.ts'
import { openReader, openWriter } from './sqlite-connection.ts'
import { toSqliteError } from './sqlite-unavailability.ts'

/** The dialect, and the ways around it. */
export type SqliteSource = Pick<DatabaseSource, 'lendWriter' | 'read'> & {
  readonly dialect: Dialect
}

/** Opens the file, or `:memory:`, which nobody else sees. Throws what `node:sqlite` throws. */
export function createSqliteDialect(file: string): SqliteSource {
  const writer = openWriter(file)
  const open = file === ':memory:' ? undefined : (): typeof writer => openReader(file)
  const connections = { writer, reader: open?.(), openReader: open, lock: createLock() }
  return { dialect: createDialect(connections), ...createWaysAround(connections) }
}

function createWaysAround({ lock, reader }: SqliteConnections): Omit<SqliteSource, 'dialect'> {
  if (reader === undefined) return { lendWriter: undefined, read: undefined }
  return {
    async lendWriter(work) {
      const release = await lock.acquire()
      try {
        return await work(lock)
      } finally {
        release()
      }
    },
    read<Row>(query: CompiledQuery<Row>) {
      try {
        return reader.run<Row>(query).rows
      } catch (error) {
        throw toSqliteError(error)
      }
    },
  }
}

function createDialect(connections: SqliteConnections): Dialect {
  return {
    createAdapter: () => new TransactionalSqliteAdapter(),
    createDriver: () => createDriver(connections),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new LockingSqliteQueryCompiler(),
  }
}

/** Sessions take turns by themselves, and migrations run in a transaction. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }

  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

const ROW_LOCKS = new Set(['ForUpdate', 'ForNoKeyUpdate', 'ForShare', 'ForKeyShare'])

/** A transaction has the lock of the whole file: what asks for that of a row asks for nothing more. */
class LockingSqliteQueryCompiler extends SqliteQueryCompiler {
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (node.modifier === undefined || !ROW_LOCKS.has(node.modifier))
      super.visitSelectModifier(node)
  }
}

function createDriver(connections: SqliteConnections): Driver {
  const run = async (connection: DatabaseConnection, sql: string): Promise<void> => {
    await connection.executeQuery(CompiledQuery.raw(sql))
  }
  return {
    async init() {
      // The file is open already, so that a bad one is known before the first query.
    },
    acquireConnection: async () => new SqliteSession(connections),
    beginTransaction: async (connection) => toSession(connection).begin(),
    async commitTransaction(connection) {
      toSession(connection).commit()
    },
    async rollbackTransaction(connection) {
      toSession(connection).rollback()
    },
    savepoint: async (connection, name) => run(connection, `savepoint ${quote(name)}`),
    rollbackToSavepoint: async (connection, name) => run(connection, `rollback to ${quote(name)}`),
    releaseSavepoint: async (connection, name) => run(connection, `release ${quote(name)}`),
    async releaseConnection(connection) {
      toSession(connection).rollback()
    },
    async destroy() {
      const release = await connections.lock.acquire()
      connections.reader?.close()
      connections.writer.close()
      release()
    },
  }
}

function toSession(connection: DatabaseConnection): SqliteSession {
  if (connection instanceof SqliteSession) return connection
  throw new TypeError('this connection belongs to another driver')
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`
