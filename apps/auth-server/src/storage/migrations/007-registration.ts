// Clients that register themselves (RFC 7591), and the tokens that let them.
import { columnTypes } from '@deputy/storage'
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const registration: Migration = {
  async up(db: Kysely<unknown>) {
    const { bytes, text } = columnTypes(db)
    await db.schema
      .createTable('initial_access_token')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('owner_id', text, (column) => column.notNull().references('owner.id'))
      .addColumn('label', text, (column) => column.notNull())
      .addColumn('scopes', text, (column) => column.notNull())
      .addColumn('audiences', text, (column) => column.notNull())
      .addColumn('max_registrations', 'integer', (column) => column.notNull())
      .addColumn('registrations', 'integer', (column) => column.notNull())
      .addColumn('token_sha256', bytes, (column) => column.notNull().unique())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .addColumn('deactivated_at', 'bigint')
      .execute()
    await db.schema
      .createTable('client_registration')
      .addColumn('agent_id', text, (column) => column.primaryKey().references('agent.id'))
      .addColumn('token_sha256', bytes, (column) => column.notNull().unique())
      .addColumn('initial_access_token_id', text, (column) => column.notNull())
      .addColumn('metadata', text, (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .execute()
  },
}
