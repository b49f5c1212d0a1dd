/** The database could not be opened or brought up to date. The message says which and what to do. */
export class DatabaseOpenError extends Error {
  override readonly name = 'DatabaseOpenError'
  readonly code = 'database_open_failed'
}

/**
 * Why a database cannot be used at present.
 *
 * - `unreachable`: no connection, or the one in use broke off.
 * - `timeout`: no answer in time.
 * - `busy`: others hold what is needed, or the database has no connection or memory left.
 * - `full`: the disk is full; what was asked for is undone.
 * - `read_only`: it takes no writes, as a standby or a file without permission.
 * - `io`: the machine of the database cannot read or write its disk.
 */
export type Unavailability = 'unreachable' | 'timeout' | 'busy' | 'full' | 'read_only' | 'io'

/**
 * The database cannot be used at present, though nothing is wrong with what was asked of it: servers
 * answer 503. A change that was under way is undone, unless the connection broke while it was being
 * committed: then nobody can say. What the driver said is in `cause`, and is for the log only.
 */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError'
  readonly code = 'database_unavailable'
  readonly reason: Unavailability

  constructor(reason: Unavailability, cause: unknown) {
    super(`the database is unavailable: ${TEXTS[reason]}`, { cause })
    this.reason = reason
  }
}

const TEXTS: Record<Unavailability, string> = {
  unreachable: 'there is no connection to it',
  timeout: 'it did not answer in time',
  busy: 'it is busy',
  full: 'its disk is full',
  read_only: 'it takes no writes',
  io: 'its disk cannot be read or written',
}

/** A database could not be backed up or restored; nothing was replaced. The message says why. */
export class DatabaseBackupError extends Error {
  override readonly name = 'DatabaseBackupError'
  readonly code = 'database_backup_failed'
}
