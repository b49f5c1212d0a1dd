import type { CompiledQuery, Dialect, Transaction } from 'kysely'

/** Runs work that writes to the file on a connection of its own, while nobody else in this process writes. */
export type LendWriter = <Value>(work: (turn: WriterTurn) => Promise<Value>) => Promise<Value>

export type WriterTurn = {
  /** Whether somebody waits for the end of this turn: whoever goes on for long should then end it. */
  isWanted(): boolean
}

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
  /** See `Database.lendWriter`. */
  readonly lendWriter: LendWriter | undefined
  /** Reads what is committed, without Kysely's way to a connection, where there is a shorter one. */
  readonly read: (<Row>(query: CompiledQuery<Row>) => readonly Row[]) | undefined
}
