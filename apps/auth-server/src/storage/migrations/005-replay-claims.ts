// What may be used once, until it would not be good any more: proofs (RFC 9449 §11.1) and client
// assertions (RFC 7523 §3).
import { columnTypes } from '@deputy/storage'
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const replayClaims: Migration = {
  async up(db: Kysely<unknown>) {
    const { text } = columnTypes(db)
    await db.schema
      .createTable('replay_claim')
      .addColumn('claim_key', text, (column) => column.primaryKey())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema
      .createIndex('replay_claim_expiry')
      .on('replay_claim')
      .column('expires_at')
      .execute()
  },
}
