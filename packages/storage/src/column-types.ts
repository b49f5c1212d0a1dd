import {
  PostgresAdapter,
  sql,
  type ColumnDefinitionBuilder,
  type Kysely,
  type RawBuilder,
} from 'kysely'

/** What a column is called so that one migration makes the same table on SQLite and on PostgreSQL. */
export type ColumnTypes = {
  /** Bytes: a `Uint8Array`. */
  readonly bytes: 'blob' | 'bytea'
  /** A whole number up to 2^53, such as epoch seconds: a `number`. */
  readonly integer: 'integer' | 'bigint'
  /** Text that is compared and ordered by code point, whatever language the database was made for. */
  readonly text: 'text' | RawBuilder<unknown>
  /** For an `integer` column: the primary key, which the database counts up and never uses twice. */
  readonly autoIncrement: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder
}

const SQLITE: ColumnTypes = Object.freeze({
  bytes: 'blob',
  integer: 'integer',
  text: 'text',
  autoIncrement: (column: ColumnDefinitionBuilder) => column.primaryKey().autoIncrement(),
})

const POSTGRES: ColumnTypes = Object.freeze({
  bytes: 'bytea',
  integer: 'bigint',
  text: sql`text collate "C"`,
  autoIncrement: (column: ColumnDefinitionBuilder) =>
    column.primaryKey().generatedByDefaultAsIdentity(),
})

/** Tells the types of the database that a migration runs on. */
export function columnTypes(db: Kysely<unknown>): ColumnTypes {
  return db.getExecutor().adapter instanceof PostgresAdapter ? POSTGRES : SQLITE
}
