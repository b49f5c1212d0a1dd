// Owners as tenants, what agents gained with them, rotation of credentials, tokens revoked before
// their time. Agents from before belong to the system.
import { columnTypes } from '@deputy/storage'
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const owners: Migration = {
  async up(db: Kysely<unknown>) {
    const { text } = columnTypes(db)
    await db.schema
      .createTable('owner')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('name', text, (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .execute()
    for (const [name, value] of [
      ['owner_id', 'system'],
      ['shared_scopes', '[]'],
      ['authorization_details_types', '[]'],
      ['scope_policy', 'exact'],
      ['rate_limit_tier', 'standard'],
      ['delegation', '{"to":[],"maxDepth":0}'],
      ['metadata', '{}'],
    ] as const) {
      await db.schema
        .alterTable('agent')
        .addColumn(name, text, (column) => column.notNull().defaultTo(value))
        .execute()
    }
    await db.schema
      .alterTable('agent')
      .addColumn('dpop_bound_access_tokens', 'integer', (column) => column.notNull().defaultTo(0))
      .execute()
    await db.schema.alterTable('agent').addColumn('url', text).execute()
    await db.schema.alterTable('agent').addColumn('jwks_uri', text).execute()
    await db.schema.createIndex('agent_owner').on('agent').columns(['owner_id', 'id']).execute()
    await db.schema
      .alterTable('client_secret')
      .addColumn('label', text, (column) => column.notNull().defaultTo(''))
      .execute()
    await db.schema.alterTable('client_secret').addColumn('superseded_by', text).execute()
    await db.schema.alterTable('api_key').addColumn('superseded_by', text).execute()
    await db.schema.alterTable('api_key').addColumn('rate_limit_tier', text).execute()
    await db.schema
      .createTable('revoked_token')
      .addColumn('client_id', text, (column) => column.notNull())
      .addColumn('jti', text, (column) => column.notNull())
      .addColumn('revoked_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('revoked_token_id', ['client_id', 'jti'])
      .execute()
    await db.schema
      .createIndex('revoked_token_expiry')
      .on('revoked_token')
      .column('expires_at')
      .execute()
  },
}
