import type { Dialect, Transaction } from 'kysely'

/** A database that can be opened: what the two kinds have in common, before it is migrated. */
export type DatabaseSource = {
  readonly kind: 'sqlite' | 'postgres'
  /** Which one it is, for messages; without a password. */
  readonly label: string
  readonly dialect: Dialect
  /** Connections for migrations, when those may take longer than anything else; `dialect` if undefined. */
  readonly migrationDialect: Dialect | undefined
  /** Waits until no other process migrates, until the end of the transaction. */
  readonly lockMigrations: <Tables>(transaction: Transaction<Tables>) => Promise<void>
}
