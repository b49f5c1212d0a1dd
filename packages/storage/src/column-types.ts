import { PostgresAdapter, sql, type Kysely, type RawBuilder } from 'kysely'

/** Names of column types, for migrations that run on SQLite and on PostgreSQL. */
export type ColumnTypes = {
  readonly bytes: RawBuilder<unknown>
  /** A whole primary key that the database counts up, never given out twice. */
  readonly serialKey: RawBuilder<unknown>
}

/** Names the column types of the database that a migration runs on. */
export function columnTypes(db: Kysely<unknown>): ColumnTypes {
  const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter
  return isPostgres
    ? { bytes: sql`bytea`, serialKey: sql`bigserial primary key` }
    : { bytes: sql`blob`, serialKey: sql`integer primary key autoincrement` }
}
