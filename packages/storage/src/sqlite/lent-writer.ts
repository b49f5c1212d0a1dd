// What a thread writes with that was lent the turn (`Database.lendWriter`). Free of all that a thread does
// not need, so that it starts at once.
import type { Unavailability } from '../database-errors.ts'
import { openWriter, type SqliteConnection } from './sqlite-connection.ts'
import { toReason } from './sqlite-unavailability.ts'

export { openReader, type SqliteConnection } from './sqlite-connection.ts'

/** How long it waits for another process that writes. The thread may stand still meanwhile. */
const BUSY_TIMEOUT_MS = 5000

/** Opens the connection: WAL and `synchronous=FULL`, as every other. Throws what `node:sqlite` throws. */
export function openLentWriter(file: string): SqliteConnection {
  const connection = openWriter(file)
  connection.run({ sql: `PRAGMA busy_timeout = ${String(BUSY_TIMEOUT_MS)}`, parameters: [] })
  return connection
}

/** An error as it can be told to another thread. */
export type ToldError = { readonly reason: Unavailability | undefined; readonly message: string }

/** Tells what SQLite threw. */
export function tellError(error: unknown): ToldError {
  return {
    reason: toReason(error),
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  }
}
