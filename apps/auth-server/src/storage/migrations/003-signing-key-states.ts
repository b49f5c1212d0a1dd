import { columnTypes } from '@deputy/storage'
import { sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * The one key that there was becomes the active one. Its private half stays as it is, in plain JSON,
 * until the start that this belongs to seals it: a migration has no key to seal with.
 */
export const createSigningKeyStates: Migration = {
  async up(db: Kysely<unknown>) {
    const { text } = columnTypes(db)
    await db.schema
      .alterTable('signing_key')
      .renameColumn('private_jwk', 'sealed_private_jwk')
      .execute()
    await db.schema
      .alterTable('signing_key')
      .addColumn('state', text, (column) => column.notNull().defaultTo('active'))
      .execute()
    await db.schema.alterTable('signing_key').addColumn('activated_at', 'bigint').execute()
    await db.schema.alterTable('signing_key').addColumn('retired_at', 'bigint').execute()
    await sql`update signing_key set activated_at = created_at`.execute(db)
    // Two servers that start, or rotate, at once cannot both have their way.
    await db.schema
      .createIndex('signing_key_one_active_one_next')
      .unique()
      .on('signing_key')
      .column('state')
      .where(sql.ref('state'), 'in', [sql.lit('active'), sql.lit('next')])
      .execute()
  },
}
