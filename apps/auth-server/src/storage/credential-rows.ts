// What client secrets and API keys have in common as rows: they end once, and their last use is noted
// lazily, so that a busy credential does not cost a write for each call.
import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'

type CredentialTable = 'client_secret' | 'api_key'
type At = { readonly id: string; readonly now: EpochSeconds }

/** How often the last use is written at most. */
const TOUCH_EVERY_SECONDS = 60

/** Ends a credential; one that has ended keeps its time. */
export async function deactivateCredential(
  db: Kysely<Tables>,
  table: CredentialTable,
  { id, now }: At,
): Promise<void> {
  await db
    .updateTable(table)
    .set({ deactivated_at: now })
    .where('id', '=', id)
    .where('deactivated_at', 'is', null)
    .execute()
}

/** Notes a use, unless one within the last minute is noted. */
export async function touchCredential(
  db: Kysely<Tables>,
  table: CredentialTable,
  { id, now }: At,
): Promise<void> {
  await db
    .updateTable(table)
    .set({ last_used_at: now })
    .where('id', '=', id)
    .where((where) =>
      where.or([
        where('last_used_at', 'is', null),
        where('last_used_at', '<=', now - TOUCH_EVERY_SECONDS),
      ]),
    )
    .execute()
}
