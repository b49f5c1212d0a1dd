import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createSigningKeyStates } from './migrations/003-signing-key-states.ts'

/** Forward only. A migration that was released is never changed. */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-create-identities': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('agent')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('scopes', 'text', (column) => column.notNull())
        .addColumn('audiences', 'text', (column) => column.notNull())
        .addColumn('scopes_supported', 'text', (column) => column.notNull())
        .addColumn('access_token_ttl_seconds', 'integer', (column) => column.notNull())
        .addColumn('created_at', 'integer', (column) => column.notNull())
        .addColumn('deactivated_at', 'integer')
        .execute()
      await db.schema
        .createTable('client_secret')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('agent_id', 'text', (column) => column.notNull().references('agent.id'))
        .addColumn('secret_sha256', 'blob', (column) => column.notNull().unique())
        .addColumn('created_at', 'integer', (column) => column.notNull())
        .addColumn('expires_at', 'integer')
        .addColumn('deactivated_at', 'integer')
        .addColumn('last_used_at', 'integer')
        .execute()
      await db.schema
        .createIndex('client_secret_agent')
        .on('client_secret')
        .column('agent_id')
        .execute()
      await db.schema
        .createTable('api_key')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('agent_id', 'text', (column) => column.notNull().references('agent.id'))
        .addColumn('label', 'text', (column) => column.notNull())
        .addColumn('scopes', 'text', (column) => column.notNull())
        .addColumn('key_sha256', 'blob', (column) => column.notNull().unique())
        .addColumn('created_at', 'integer', (column) => column.notNull())
        .addColumn('expires_at', 'integer')
        .addColumn('deactivated_at', 'integer')
        .addColumn('last_used_at', 'integer')
        .execute()
      await db.schema.createIndex('api_key_agent').on('api_key').column('agent_id').execute()
      await db.schema
        .createTable('signing_key')
        .addColumn('kid', 'text', (column) => column.primaryKey())
        .addColumn('algorithm', 'text', (column) => column.notNull())
        .addColumn('public_jwk', 'text', (column) => column.notNull())
        .addColumn('private_jwk', 'text', (column) => column.notNull())
        .addColumn('created_at', 'integer', (column) => column.notNull())
        .execute()
    },
  },
  '003-signing-key-states': createSigningKeyStates,
}
