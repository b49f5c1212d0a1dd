import { accessSync, linkSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { DatabaseBackupError } from '../database-errors.ts'
import { copyDatabase } from './copy-database.ts'

/**
 * Copies a SQLite database, while servers use it, into a new file that only its owner can read: all that
 * was committed when it began, and nothing half. Throws `DatabaseBackupError`, also when there is
 * something under the name of the target already.
 */
export function backupDatabase(file: string, target: string): void {
  try {
    // Opening would make a file that is missing. Only a connection that may write removes its log.
    accessSync(file)
    using source = new DatabaseSync(file, { timeout: 5000 })
    // A link, unlike a new name for the copy, never takes the place of another file.
    copyDatabase(source, target, (copy) => {
      linkSync(copy, target)
    })
  } catch (cause) {
    throw new DatabaseBackupError(`cannot back up ${file}: ${toText(cause)}`, { cause })
  }
}

function toText(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
