import { columnTypes } from '@deputy/storage'
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const createIdentities: Migration = {
  async up(db: Kysely<unknown>) {
    const { bytes, text } = columnTypes(db)
    await db.schema
      .createTable('agent')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('name', text, (column) => column.notNull())
      .addColumn('description', text, (column) => column.notNull())
      .addColumn('state', text, (column) => column.notNull())
      .addColumn('scopes', text, (column) => column.notNull())
      .addColumn('audiences', text, (column) => column.notNull())
      .addColumn('scopes_supported', text, (column) => column.notNull())
      .addColumn('access_token_ttl_seconds', 'integer', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('deactivated_at', 'bigint')
      .execute()
    await db.schema
      .createTable('client_secret')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('agent_id', text, (column) => column.notNull().references('agent.id'))
      .addColumn('secret_sha256', bytes, (column) => column.notNull().unique())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint')
      .addColumn('deactivated_at', 'bigint')
      .addColumn('last_used_at', 'bigint')
      .execute()
    await db.schema
      .createIndex('client_secret_agent')
      .on('client_secret')
      .column('agent_id')
      .execute()
    await db.schema
      .createTable('api_key')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('agent_id', text, (column) => column.notNull().references('agent.id'))
      .addColumn('label', text, (column) => column.notNull())
      .addColumn('scopes', text, (column) => column.notNull())
      .addColumn('key_sha256', bytes, (column) => column.notNull().unique())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint')
      .addColumn('deactivated_at', 'bigint')
      .addColumn('last_used_at', 'bigint')
      .execute()
    await db.schema.createIndex('api_key_agent').on('api_key').column('agent_id').execute()
    await db.schema
      .createTable('signing_key')
      .addColumn('kid', text, (column) => column.primaryKey())
      .addColumn('algorithm', text, (column) => column.notNull())
      .addColumn('public_jwk', text, (column) => column.notNull())
      .addColumn('private_jwk', text, (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .execute()
  },
}
