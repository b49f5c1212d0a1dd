// Counts the changes by which an agent or a secret may come to be worth less than a server remembers.
// Triggers count, so that no way to change a row can forget it: not another version of this server, not a
// hand at the database. New rows change nothing that anybody remembers, and neither does a last use.
import { columnTypes } from '@deputy/storage'
import { PostgresAdapter, sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What of a secret decides whether it counts; the rest is for people. */
const SECRET_COLUMNS = 'id, agent_id, secret_sha256, expires_at, deactivated_at'

const CHANGES = [
  { name: 'agent_updated', when: 'update on agent' },
  { name: 'agent_deleted', when: 'delete on agent' },
  { name: 'client_secret_updated', when: `update of ${SECRET_COLUMNS} on client_secret` },
  { name: 'client_secret_deleted', when: 'delete on client_secret' },
] as const

const COUNT = 'update authority set version = version + 1'

export const authorityVersion: Migration = {
  async up(db: Kysely<unknown>) {
    const { integer } = columnTypes(db)
    await db.schema
      .createTable('authority')
      .addColumn('version', integer, (column) => column.notNull())
      .execute()
    await sql`insert into authority (version) values (1)`.execute(db)
    const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter
    if (isPostgres) {
      await sql
        .raw(
          `create function count_authority() returns trigger language plpgsql as
            $$ begin ${COUNT}; return null; end $$`,
        )
        .execute(db)
    }
    for (const { name, when } of CHANGES) {
      const body = isPostgres
        ? 'for each statement execute function count_authority()'
        : `begin ${COUNT}; end`
      await sql.raw(`create trigger authority_${name} after ${when} ${body}`).execute(db)
    }
  },
}
