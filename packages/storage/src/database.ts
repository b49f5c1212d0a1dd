import type { Kysely } from 'kysely'
import type { Announcements } from './announcements.ts'
import type { Commit } from './group-commit.ts'

/** An open, migrated database. `close` waits for running work. */
export type Database<Tables> = {
  /** For reads, and for writes that stand alone. Rejects with `DatabaseUnavailableError` in an outage. */
  readonly db: Kysely<Tables>
  readonly dialect: 'sqlite' | 'postgres'
  /** Writes together with others: see `Commit`. */
  readonly commit: Commit<Tables>
  readonly announcements: Announcements
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
