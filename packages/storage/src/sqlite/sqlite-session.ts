// What Kysely takes for a connection: a claim on the one connection that writes, made only while it is
// needed. Plain reads go to a second connection and never wait.
import { CompiledQuery, type DatabaseConnection, type QueryResult } from 'kysely'
import type { Lock } from './lock.ts'
import { retryWhileBusy } from './retry-while-busy.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { toSqliteError } from './sqlite-unavailability.ts'

const BEGIN = CompiledQuery.raw('begin immediate')
const COMMIT = CompiledQuery.raw('commit')
const ROLLBACK = CompiledQuery.raw('rollback')

export type SqliteConnections = {
  readonly writer: SqliteConnection
  /** Held by whoever writes. */
  readonly lock: Lock
  /** Where reads outside of transactions go. `:memory:` has none. */
  readonly reader: SqliteConnection | undefined
  openReader: (() => SqliteConnection) | undefined
}

/** Either idle, or in a transaction that holds the writer's lock. */
export class SqliteSession implements DatabaseConnection {
  readonly #connections: SqliteConnections
  #release: (() => void) | undefined
  /** What made SQLite end the transaction. */
  #failure: unknown

  constructor(connections: SqliteConnections) {
    this.#connections = connections
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { lock, reader, writer } = this.#connections
    try {
      if (this.#release !== undefined) return this.#runInTransaction<Row>(query)
      if (reader !== undefined && isRead(query)) return reader.run<Row>(query)
      const release = await lock.acquire()
      try {
        return await retryWhileBusy(() => writer.run<Row>(query))
      } finally {
        release()
      }
    } catch (error) {
      throw toSqliteError(error)
    }
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    const { lock, openReader, writer } = this.#connections
    const isInside = this.#release !== undefined
    // A stream keeps its snapshot as long as it runs, so it must not share a connection with reads.
    const ownReader = isInside || !isRead(query) ? undefined : openReader?.()
    const release = isInside || ownReader !== undefined ? undefined : await lock.acquire()
    try {
      for (const row of (ownReader ?? writer).iterate(query)) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Kysely knows the row's type
        yield { rows: [row as Row] }
      }
    } catch (error) {
      throw toSqliteError(error)
    } finally {
      ownReader?.close()
      release?.()
    }
  }

  /**
   * Takes the write lock at once. A deferred transaction that reads first cannot take it later, once
   * another process has written: it would fail with "database is locked" however long it waited.
   */
  async begin(): Promise<void> {
    const release = await this.#connections.lock.acquire()
    try {
      await retryWhileBusy(() => this.#connections.writer.run(BEGIN))
    } catch (error) {
      release()
      throw toSqliteError(error)
    }
    this.#release = release
  }

  /** Throws when it could not commit; the transaction is then open until `rollback`. */
  commit(): void {
    try {
      this.#runInTransaction(COMMIT)
    } catch (error) {
      throw toSqliteError(error)
    }
    this.#giveBack()
  }

  /** Undoes what is open, if anything is. */
  rollback(): void {
    if (this.#release === undefined) return
    try {
      if (this.#connections.writer.isTransaction()) this.#connections.writer.run(ROLLBACK)
    } catch (error) {
      throw toSqliteError(error)
    } finally {
      this.#giveBack()
    }
  }

  #runInTransaction<Row>(query: CompiledQuery): QueryResult<Row> {
    const { writer } = this.#connections
    // A full disk ends a transaction. What followed would be committed each by itself: half done.
    if (!writer.isTransaction()) throw this.#failure
    try {
      return writer.run<Row>(query)
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  #giveBack(): void {
    this.#release?.()
    this.#release = undefined
  }
}

/** In SQLite a `select` never writes, and neither do the tables that stand before it in a `with`. */
function isRead({ query, sql }: CompiledQuery): boolean {
  return query.kind === 'SelectQueryNode' || /^\s*select\s/i.test(sql)
}
