// What the version of `authority` counts, change by change: which agent it was that changed, or whose secret. So a
// server that remembers a million agents forgets the one, and not all of them. Triggers write it, as they count: no
// way to change a row can forget to.
import { columnTypes } from '@deputy/storage'
import { PostgresAdapter, sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Changes that are kept: a server that missed more forgets everything. */
const KEPT = 10_000

const SECRET_COLUMNS = 'id, agent_id, secret_sha256, expires_at, deactivated_at'

const CHANGES = [
  { name: 'agent_updated', when: 'update on agent', agentId: 'old.id' },
  { name: 'agent_deleted', when: 'delete on agent', agentId: 'old.id' },
  {
    name: 'client_secret_updated',
    when: `update of ${SECRET_COLUMNS} on client_secret`,
    agentId: 'old.agent_id',
  },
  { name: 'client_secret_deleted', when: 'delete on client_secret', agentId: 'old.agent_id' },
] as const

export const authorityChanges: Migration = {
  async up(db: Kysely<unknown>) {
    const { integer, text } = columnTypes(db)
    await db.schema
      .createTable('authority_change')
      .addColumn('version', integer, (column) => column.primaryKey())
      .addColumn('agent_id', text, (column) => column.notNull())
      .execute()
    const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter
    for (const { agentId, name, when } of CHANGES) {
      const trigger = `authority_${name}`
      const body = `
        update authority set version = version + 1;
        insert into authority_change (version, agent_id) select version, ${agentId} from authority;
        delete from authority_change
          where version <= (select version from authority) - ${String(KEPT)};`
      if (isPostgres) {
        await sql.raw(`drop trigger ${trigger} on ${when.split(' ').at(-1) ?? ''}`).execute(db)
        await sql
          .raw(
            `create function note_${trigger}() returns trigger language plpgsql as
              $$ begin ${body} return null; end $$`,
          )
          .execute(db)
        await sql
          .raw(`create trigger ${trigger} after ${when} for each row
            execute function note_${trigger}()`)
          .execute(db)
      } else {
        await sql.raw(`drop trigger ${trigger}`).execute(db)
        await sql.raw(`create trigger ${trigger} after ${when} begin ${body} end`).execute(db)
      }
    }
    if (isPostgres) await sql`drop function count_authority()`.execute(db)
  },
}
