// The tree of grants, and the feed of what was revoked. Revoked tokens, which had a table of their own,
// become the first entries of the feed.
import { columnTypes } from '@deputy/storage'
import { sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { randomUUID } from 'node:crypto'

export const delegation: Migration = {
  async up(db: Kysely<unknown>) {
    const { integer, text } = columnTypes(db)
    await db.schema
      .createTable('delegation_grant')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('kind', text, (column) => column.notNull())
      .addColumn('parent_id', text)
      .addColumn('grant_path', text, (column) => column.notNull())
      .addColumn('owner_id', text, (column) => column.notNull())
      .addColumn('subject_id', text, (column) => column.notNull())
      .addColumn('agent_id', text, (column) => column.notNull())
      .addColumn('actors', text, (column) => column.notNull())
      .addColumn('audiences', text, (column) => column.notNull())
      .addColumn('scopes', text, (column) => column.notNull())
      .addColumn('dropped', text, (column) => column.notNull())
      .addColumn('limits', text, (column) => column.notNull())
      .addColumn('max_depth', 'integer', (column) => column.notNull())
      .addColumn('credential_id', text)
      .addColumn('opened_by', text, (column) => column.notNull())
      .addColumn('purpose', text, (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .addColumn('revoked_at', 'bigint')
      .execute()
    for (const column of ['parent_id', 'credential_id', 'agent_id', 'opened_by', 'expires_at']) {
      await db.schema
        .createIndex(`delegation_grant_${column}`)
        .on('delegation_grant')
        .column(column)
        .execute()
    }
    await db.schema
      .createTable('revocation')
      .addColumn('seq', integer, (column) => column.primaryKey())
      .addColumn('kind', text, (column) => column.notNull())
      .addColumn('denied_id', text, (column) => column.notNull())
      .addColumn('revoked_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .addUniqueConstraint('revocation_denied', ['kind', 'denied_id'])
      .execute()
    await sql`
      insert into revocation (seq, kind, denied_id, revoked_at, expires_at)
      select row_number() over (order by min(revoked_at), jti), 'grant', jti, min(revoked_at), max(expires_at)
      from revoked_token group by jti`.execute(db)
    await db.schema.dropTable('revoked_token').execute()
    await db.schema
      .createTable('revocation_feed')
      .addColumn('feed_id', text, (column) => column.primaryKey())
      .addColumn('last_seq', integer, (column) => column.notNull())
      .execute()
    await sql`
      insert into revocation_feed (feed_id, last_seq)
      select ${sql.lit(randomUUID())}, count(*) from revocation`.execute(db)
  },
}
