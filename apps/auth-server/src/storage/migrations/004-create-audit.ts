// The audit trail. Each issue of a token adds a row, so every index has its price there.
//
// Indexes over values that come in no order (agents, correlation ids) begin with the bucket: 256 ids
// in a row. All insertions of a moment then meet in a few pages, where an index over the whole table
// would have each row write a page of its own; a query tries bucket after bucket, newest first.
import { columnTypes } from '@deputy/storage'
import { sql, type Kysely } from 'kysely'
import { PostgresAdapter } from 'kysely'
import type { Migration } from 'kysely/migration'

export const createAudit: Migration = {
  async up(db: Kysely<unknown>) {
    const { text } = columnTypes(db)
    const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter
    await db.schema
      .createTable('audit_entry')
      .addColumn('id', isPostgres ? 'bigint' : 'integer', (column) =>
        isPostgres
          ? column.generatedByDefaultAsIdentity().primaryKey()
          : column.primaryKey().autoIncrement(),
      )
      .addColumn('bucket', 'bigint', (column) => {
        const generated = column.generatedAlwaysAs(sql`id >> 8`)
        return isPostgres ? generated.stored() : generated
      })
      .addColumn('writer_id', text, (column) => column.notNull())
      .addColumn('seq', 'bigint', (column) => column.notNull())
      .addColumn('prev_hash', text, (column) => column.notNull())
      .addColumn('hash', text, (column) => column.notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('event', text, (column) => column.notNull())
      .addColumn('outcome', text, (column) => column.notNull())
      .addColumn('reason', text)
      .addColumn('owner_id', text)
      .addColumn('actor_id', text)
      .addColumn('subject_id', text)
      .addColumn('target_kind', text)
      .addColumn('target_id', text)
      .addColumn('audience', text)
      .addColumn('scope', text)
      .addColumn('credential_id', text)
      .addColumn('token_id', text)
      .addColumn('grant_id', text)
      .addColumn('correlation_id', text)
      .addColumn('trace_id', text)
      .addColumn('address', text)
      .addColumn('details', text)
      .execute()
    for (const statement of INDEXES) await sql.raw(statement).execute(db)
  },
}

const INDEXES = [
  'create unique index audit_entry_chain on audit_entry (writer_id, seq)',
  'create index audit_entry_at on audit_entry (bucket, at)',
  'create index audit_entry_owner on audit_entry (bucket, owner_id)',
  'create index audit_entry_actor on audit_entry (bucket, actor_id)',
  'create index audit_entry_correlation on audit_entry (bucket, correlation_id)',
  `create index audit_entry_subject on audit_entry (bucket, subject_id)
    where subject_id is distinct from actor_id`,
  'create index audit_entry_grant on audit_entry (bucket, grant_id) where grant_id is not null',
  // These have few values, so that insertions meet without buckets.
  `create index audit_entry_event on audit_entry (event, id) where event <> 'token.issued'`,
  `create index audit_entry_outcome on audit_entry (outcome, id) where outcome <> 'success'`,
] as const
