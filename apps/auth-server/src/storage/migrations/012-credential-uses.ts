// When credentials were last used, in a table of its own. Beside the rest of a credential, each use changed a page
// of 4 KiB that held one other use in a thousand. In a narrow table, ordered by the id, the uses of a moment that
// are written in that order share their pages, however many credentials there are.
import { columnTypes } from '@deputy/storage'
import { PostgresAdapter, sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

const CREDENTIALS = ['client_secret', 'api_key', 'client_key'] as const

export const credentialUses: Migration = {
  async up(db: Kysely<unknown>) {
    const { text } = columnTypes(db)
    const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter
    await db.schema
      .createTable('credential_use')
      .addColumn('credential_id', text, (column) => column.primaryKey())
      .addColumn('last_used_at', 'bigint', (column) => column.notNull())
      // PostgreSQL updates a row within its page, and no index, as long as there is room.
      .modifyEnd(isPostgres ? sql`with (fillfactor = 70)` : sql`without rowid`)
      .execute()
    for (const table of CREDENTIALS) {
      await sql`
        insert into credential_use (credential_id, last_used_at)
        select id, last_used_at from ${sql.table(table)} where last_used_at is not null order by id
      `.execute(db)
      await db.schema.alterTable(table).dropColumn('last_used_at').execute()
    }
  },
}
