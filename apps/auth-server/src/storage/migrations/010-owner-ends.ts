// Owners that were ended, with when.
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const ownerEnds: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('owner').addColumn('deactivated_at', 'bigint').execute()
  },
}
