// Calls that wait for somebody's approval, and the scopes of an agent that are given for such calls only.
import { columnTypes } from '@deputy/storage'
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const approvals: Migration = {
  async up(db: Kysely<unknown>) {
    const { text } = columnTypes(db)
    await db.schema
      .alterTable('agent')
      .addColumn('approval_scopes', text, (column) => column.notNull().defaultTo('[]'))
      .execute()
    await db.schema
      .createTable('approval')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('owner_id', text, (column) => column.notNull())
      .addColumn('agent_id', text, (column) => column.notNull())
      .addColumn('subject_id', text, (column) => column.notNull())
      .addColumn('actors', text, (column) => column.notNull())
      .addColumn('audience', text, (column) => column.notNull())
      .addColumn('scopes', text, (column) => column.notNull())
      .addColumn('procedure', text, (column) => column.notNull())
      .addColumn('input_sha256', text, (column) => column.notNull())
      .addColumn('input', text)
      .addColumn('binding_message', text)
      .addColumn('grant_path', text, (column) => column.notNull())
      .addColumn('call_fingerprint', text, (column) => column.notNull())
      .addColumn('pending_call', text, (column) => column.unique())
      .addColumn('state', text, (column) => column.notNull())
      .addColumn('requested_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .addColumn('decided_at', 'bigint')
      .addColumn('decided_by', text)
      .addColumn('note', text)
      .addColumn('token_id', text)
      .execute()
    for (const column of ['call_fingerprint', 'owner_id', 'agent_id', 'expires_at']) {
      await db.schema.createIndex(`approval_${column}`).on('approval').column(column).execute()
    }
  },
}
