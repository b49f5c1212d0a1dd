// Public keys of agents, for client assertions (RFC 7523).
import { columnTypes } from '@deputy/storage'
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const clientKeys: Migration = {
  async up(db: Kysely<unknown>) {
    const { text } = columnTypes(db)
    await db.schema
      .createTable('client_key')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('agent_id', text, (column) => column.notNull().references('agent.id'))
      .addColumn('label', text, (column) => column.notNull())
      .addColumn('kid', text, (column) => column.notNull())
      .addColumn('public_jwk', text, (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint')
      .addColumn('deactivated_at', 'bigint')
      .addColumn('last_used_at', 'bigint')
      .addColumn('superseded_by', text)
      .execute()
    await db.schema.createIndex('client_key_agent').on('client_key').column('agent_id').execute()
  },
}
