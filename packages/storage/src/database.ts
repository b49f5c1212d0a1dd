import type { CompiledQuery, Kysely } from 'kysely'
import type { Announcements } from './announcements.ts'
import type { LendWriter } from './database-source.ts'
import type { Commit } from './group-commit.ts'

/** An open, migrated database. `close` waits for running work. */
export type Database<Tables> = {
  /** For reads, and for writes that stand alone. Rejects with `DatabaseUnavailableError` in an outage. */
  readonly db: Kysely<Tables>
  readonly dialect: 'sqlite' | 'postgres'
  /** Writes together with others: see `Commit`. */
  readonly commit: Commit<Tables>
  readonly announcements: Announcements
  /**
   * Lets another thread have its turn to write to the file, on a connection of its own: turns are given
   * in their order, so that neither waits for the other's lock. `undefined` where there is no such file.
   */
  readonly lendWriter: LendWriter | undefined
  /**
   * Runs a compiled query outside of any transaction, with other parameters: for the few on the path of
   * every call. On SQLite it costs what SQLite takes, and no more.
   */
  read<Row>(query: CompiledQuery<Row>, parameters: readonly unknown[]): Promise<readonly Row[]>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
