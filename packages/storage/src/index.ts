export { columnTypes, type ColumnTypes } from './column-types.ts'
export { createId } from './create-id.ts'
export {
  DatabaseBackupError,
  DatabaseOpenError,
  DatabaseUnavailableError,
  type Unavailability,
} from './database-errors.ts'
export type { Database } from './database.ts'
export type { Commit } from './group-commit.ts'
export {
  createLimitUse,
  LIMIT_USE_PRUNE_BATCH_SIZE,
  type LimitUse,
  type LimitUseOptions,
} from './limit-use/limit-use.ts'
export { createLimitUseTable } from './limit-use/limit-use-table.ts'
export { makeFolder } from './make-folder.ts'
export type { Migrations } from './migrate.ts'
export { openDatabase, type DatabaseLocation, type OpenDatabaseOptions } from './open-database.ts'
export { backupDatabase } from './sqlite/backup-database.ts'
export { restoreDatabase, type RestoreDatabaseOptions } from './sqlite/restore-database.ts'
