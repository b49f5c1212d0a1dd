export { columnTypes, type ColumnTypes } from './column-types.ts'
export type { Commit } from './group-commit.ts'
export {
  DatabaseOpenError,
  openDatabase,
  type Database,
  type DatabaseLocation,
  type OpenDatabaseOptions,
} from './open-database.ts'
export { DatabaseUnavailableError } from './unavailable.ts'
