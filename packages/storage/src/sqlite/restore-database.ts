import { existsSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DatabaseBackupError } from '../database-errors.ts'
import type { Migrations } from '../migrate.ts'
import { makeFolder } from '../make-folder.ts'
import { copyDatabase } from './copy-database.ts'
import { isBusy, isDamaged } from './sqlite-unavailability.ts'

export type RestoreDatabaseOptions = {
  /** A copy that `backupDatabase` made. It stays as it is. */
  readonly backup: string
  /** The database to replace, or to make. */
  readonly file: string
  /** Those of the application: how it knows its own database, and one of a newer version. */
  readonly migrations: Migrations
}

/**
 * Puts a backup in the place of a SQLite database, whole or not at all. The backup may be of an older
 * version: opening it migrates it.
 *
 * Throws `DatabaseBackupError` when the backup is damaged, of another application or of a newer version,
 * or when a running server has the database open. Start none meanwhile: it could open the old file.
 */
export function restoreDatabase({ backup, file, migrations }: RestoreDatabaseOptions): void {
  try {
    using source = new DatabaseSync(backup, { readOnly: true, timeout: 5000 })
    checkIntegrity(source)
    checkMigrations(source, migrations)
    makeFolder(dirname(file))
    using _lock = existsSync(file) ? lockUnused(file) : undefined
    copyDatabase(source, file, (copy) => {
      // What a crash left of the old database's log would be played into the new one.
      for (const suffix of ['-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true })
      renameSync(copy, file)
    })
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    throw new DatabaseBackupError(`cannot restore ${file} from ${backup}: ${text}`, { cause })
  }
}

function checkIntegrity(source: DatabaseSync): void {
  const [found] = source.prepare('pragma integrity_check(1)').all()
  if (found?.['integrity_check'] !== 'ok') throw new Error('the backup is damaged')
  if (source.prepare('pragma foreign_key_check').get() !== undefined) {
    throw new Error('the backup is damaged: a row points to one that is not there')
  }
}

function checkMigrations(source: DatabaseSync, migrations: Migrations): void {
  const known = Object.keys(migrations).toSorted()
  const names = readMigrations(source)
  if (names.length === 0 || names[0] !== known[0]) {
    throw new Error('the backup is not of this application')
  }
  if (names.some((name, index) => name !== known[index])) {
    throw new Error('the backup is of a newer version: restore it with that one')
  }
}

function readMigrations(source: DatabaseSync): unknown[] {
  const table = source.prepare("select 1 from sqlite_master where name = 'kysely_migration'").get()
  if (table === undefined) return []
  const rows = source.prepare('select name from kysely_migration order by name').all()
  return rows.map(({ name }) => name)
}

/** Takes the lock that nobody has who has the database open. A damaged file has none, and is let go. */
function lockUnused(file: string): DatabaseSync | undefined {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    // Moves what the log holds into the file and removes the log, for which nobody else may be there.
    database.exec('pragma locking_mode = exclusive; pragma journal_mode = delete; begin exclusive')
    return database
  } catch (error) {
    database.close()
    if (isBusy(error))
      throw new Error('a running server uses it: stop that first', { cause: error })
    if (isDamaged(error)) return undefined
    throw error
  }
}
