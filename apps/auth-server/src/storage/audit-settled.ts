// On PostgreSQL an id is given out before its transaction commits, so entries can appear after others
// with larger ids. While that may still happen, the id is missing: a gap. So whoever must not lose an
// entry reads no further than the first gap that is young. An old one was left by a transaction that
// was undone, or by pruning, and stays.
import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'

/** After this time no transaction is under way any more: it must be longer than the database's own limits. */
export const SETTLE_SECONDS = 30

/** Rows at a time. */
const STEP = 2000

/** Ids that are skipped at a time where all of them are old. */
const STRIDE = 16_384

/**
 * Finds an id that can be read up to: no entry will ever appear between `afterId` and it. Not the
 * largest there is; `afterId` itself when nothing is settled after it.
 */
export async function findSettledId(
  db: Kysely<Tables>,
  { afterId, now }: { readonly afterId: number; readonly now: number },
): Promise<number> {
  const oldAt = now - SETTLE_SECONDS
  const query = db.selectFrom('audit_entry').select(['id', 'at']).orderBy('id')
  const ahead = await query
    .where('id', '>=', afterId + STRIDE)
    .limit(1)
    .executeTakeFirst()
  if (ahead !== undefined && ahead.at < oldAt) return ahead.id
  let settledId = afterId
  for (const { at, id } of await query.where('id', '>', afterId).limit(STEP).execute()) {
    if (id !== settledId + 1 && at >= oldAt) break
    settledId = id
  }
  return settledId
}
