// What Kysely takes for a connection: one of the pool's, which is given up when it broke.
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import { DatabaseError, type PoolClient, type QueryResult as PostgresResult } from 'pg'
import { toPostgresError } from './postgres-unavailability.ts'

const CHANGES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

/** One connection, until it is released. */
export class PostgresSession implements DatabaseConnection {
  readonly #client: PoolClient
  #isBroken = false

  constructor(client: PoolClient) {
    this.#client = client
    client.on('error', this.#onError)
  }

  async executeQuery<Row>({ parameters, sql }: CompiledQuery): Promise<QueryResult<Row>> {
    const { command, rowCount, rows } = await this.run(sql, parameters)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Kysely knows the row's type
    const result = { rows: (rows ?? []) as Row[] }
    return CHANGES.has(command) ? { ...result, numAffectedRows: BigInt(rowCount ?? 0) } : result
  }

  // oxlint-disable-next-line require-yield -- what Kysely calls for a stream
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('queries are not streamed from PostgreSQL: read pages')
  }

  /** Runs one statement, or several without parameters, which costs one way to the server and back. */
  async run(sql: string, parameters: readonly unknown[] = []): Promise<PostgresResult<object>> {
    try {
      return await this.#client.query<object, unknown[]>(sql, [...parameters])
    } catch (error) {
      // Unless the server answered, its answer may still come, and would be taken for the next one's.
      if (!(error instanceof DatabaseError)) this.#isBroken = true
      throw toPostgresError(error)
    }
  }

  /** Ends what is open; a connection that cannot even do that is given up. */
  async rollback(): Promise<void> {
    try {
      await this.run('rollback')
    } catch (error) {
      this.#isBroken = true
      throw error
    }
  }

  release(): void {
    this.#client.release(this.#isBroken)
    this.#client.off('error', this.#onError)
  }

  /** Between two queries nobody waits for an answer, so that Node would end the process. */
  readonly #onError = (): void => {
    this.#isBroken = true
  }
}
