import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { columnTypes } from '../column-types.ts'

/** The table of `createLimitUse`: an agent puts it among its own migrations, under a name of its own. */
export const createLimitUseTable: Migration = {
  async up(db: Kysely<unknown>) {
    const { integer, text } = columnTypes(db)
    await db.schema
      .createTable('limit_use')
      .addColumn('use_key', text, (column) => column.primaryKey())
      .addColumn('used', integer, (column) => column.notNull())
      .addColumn('expires_at', integer, (column) => column.notNull())
      .execute()
    await db.schema.createIndex('limit_use_expiry').on('limit_use').column('expires_at').execute()
  },
}
