import { sql, type Kysely } from 'kysely'
import type { CredentialUseStore } from '../credentials/credential-use-store.ts'
import type { Tables } from './tables.ts'

/** Rows of one statement: PostgreSQL takes 65,535 parameters, SQLite 32,766. */
const MAX_ROWS = 1000

/** Creates the store on Kysely. */
export function createKyselyCredentialUseStore(db: Kysely<Tables>): CredentialUseStore {
  return {
    async touch(uses) {
      // By their ids: rows of one page follow each other, and of two servers none waits for the other in a circle.
      const rows = [...uses]
        .map(([id, at]) => ({ credential_id: id, last_used_at: at }))
        .toSorted((a, b) => (a.credential_id < b.credential_id ? -1 : 1))
      for (let from = 0; from < rows.length; from += MAX_ROWS) {
        await db
          .insertInto('credential_use')
          .values(rows.slice(from, from + MAX_ROWS))
          .onConflict((conflict) =>
            conflict
              .column('credential_id')
              .doUpdateSet({ last_used_at: sql`excluded.last_used_at` })
              .where(sql<boolean>`excluded.last_used_at > credential_use.last_used_at`),
          )
          .execute()
      }
    },
  }
}

/** The same on SQLite as one statement for any number: a JSON list of pairs of id and moment. */
export const TOUCH_CREDENTIALS = `
  insert into credential_use (credential_id, last_used_at)
  select value ->> 0, value ->> 1 from json_each(?) where true
  on conflict (credential_id) do update set last_used_at = excluded.last_used_at
  where excluded.last_used_at > credential_use.last_used_at`
