// Reads the trail: pages from the newest entry back, and forward without losing any.
import type { Clock } from '@deputy/auth/protocol'
import type { Kysely } from 'kysely'
import { setImmediate } from 'node:timers/promises'
import type { AuditEntry } from '../audit/audit-event.ts'
import type { AuditTrail } from '../audit/audit-trail.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { toAuditEntry } from './audit-row.ts'
import { BUCKET_IDS, createSelectEntries } from './audit-select.ts'
import { findSettledId } from './audit-settled.ts'
import type { Tables } from './tables.ts'

export type AuditReader = Pick<AuditTrail, 'list' | 'find' | 'readAfter' | 'newestId'>

/** Ids that one call looks at, at most: then it answers with what it has, and where to go on. */
const MAX_IDS = 80_000 * BUCKET_IDS

/** Creates the reader. */
export function createAuditReader(db: Kysely<Tables>, clock: Clock): AuditReader {
  async function findEdgeId(direction: 'asc' | 'desc'): Promise<number | undefined> {
    const row = await db
      .selectFrom('audit_entry')
      .select('id')
      .orderBy('id', direction)
      .limit(1)
      .executeTakeFirst()
    return row?.id
  }

  return {
    newestId: async () => (await findEdgeId('desc')) ?? 0,

    async find(id, within) {
      const row = await db
        .selectFrom('audit_entry')
        .selectAll()
        .where('id', '=', id)
        .$if(within !== EVERY_OWNER, (query) =>
          query.where('owner_id', '=', within === EVERY_OWNER ? '' : within),
        )
        .executeTakeFirst()
      return row && toAuditEntry(row)
    },

    async list({ beforeId, limit, ...selection }) {
      const newestId = (await findEdgeId('desc')) ?? 0
      const oldestId = (await findEdgeId('asc')) ?? 0
      const select = createSelectEntries(db, { ...selection, direction: 'desc' })
      const startId = Math.min(newestId + 1, beforeId ?? Infinity)
      const endId = Math.max(oldestId, startId - MAX_IDS)
      const entries: AuditEntry[] = []
      let toId = startId
      // One more than asked for shows whether there is a next page.
      while (toId > endId && entries.length <= limit) {
        const fromId = Math.max(endId, toId - select.windowIds)
        const rows = await select.run({ fromId, toId }, limit + 1 - entries.length)
        entries.push(...rows.map(toAuditEntry))
        toId = fromId
        // The server goes on answering meanwhile.
        await setImmediate()
      }
      if (entries.length > limit) {
        const page = entries.slice(0, limit)
        return { entries: page, nextBeforeId: page.at(-1)?.id }
      }
      return { entries, nextBeforeId: endId > oldestId ? endId : undefined }
    },

    async readAfter({ afterId, limit, ...selection }) {
      const settledId = await findSettledId(db, { afterId, now: clock.now() })
      if (settledId <= afterId) return { entries: [], reachedId: afterId }
      const select = createSelectEntries(db, { ...selection, direction: 'asc' })
      const entries: AuditEntry[] = []
      let fromId = afterId + 1
      while (fromId <= settledId && entries.length < limit) {
        const toId = Math.min(settledId + 1, fromId + select.windowIds)
        const rows = await select.run({ fromId, toId }, limit - entries.length)
        entries.push(...rows.map(toAuditEntry))
        fromId = toId
        await setImmediate()
      }
      const last = entries.at(-1)
      const isFull = entries.length === limit && last !== undefined
      return { entries, reachedId: isFull ? last.id : settledId }
    },
  }
}
