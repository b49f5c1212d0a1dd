import type { Kysely, Transaction } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'

/** By name, like `001-create-agents`; run in the order of their names, each once, forward only. */
export type Migrations = Readonly<Record<string, Migration>>

export type MigrateOptions<Tables> = {
  readonly migrations: Migrations
  /** Waits until no other process migrates, until the end of the transaction. */
  readonly lock: (transaction: Transaction<Tables>) => Promise<void>
}

/**
 * Runs what is missing, all or nothing: of two processes that start on a new database at the same
 * moment, the second waits for the first and finds nothing to do.
 *
 * Throws when the database has a migration that this version does not know.
 */
export async function migrate<Tables>(
  db: Kysely<Tables>,
  { lock, migrations }: MigrateOptions<Tables>,
): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await lock(transaction)
    const migrator = new Migrator({
      db: transaction,
      provider: { getMigrations: async () => ({ ...migrations }) },
    })
    const { error } = await migrator.migrateToLatest()
    if (error !== undefined) throw error
  })
}

/** Says whether a migration failed because the database knows one that this version does not. */
export function isNewerSchema(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('corrupted migrations')
}
