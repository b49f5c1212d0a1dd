export {
  DatabaseOpenError,
  openDatabase,
  type Database,
  type OpenDatabaseOptions,
} from './open-database.ts'
