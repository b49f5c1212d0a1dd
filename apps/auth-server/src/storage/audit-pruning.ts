// Drops old entries. What is going to be dropped is signed off first, in one commit; then it is deleted
// in small ones. A pruning that was broken off in between leaves a trail that verifies, and too much.
import type { Kysely } from 'kysely'
import { setImmediate } from 'node:timers/promises'
import type { AuditTrail } from '../audit/audit-trail.ts'
import type { ChainHead } from '../audit/chain.ts'
import { createPrunedEvent } from '../audit/trail-entries.ts'
import { findAnchors, listWriters } from './audit-heads.ts'
import type { AuditWriter } from './audit-writer.ts'
import type { Tables } from './tables.ts'

export type AuditPruningOptions = {
  readonly db: Kysely<Tables>
  readonly writer: Pick<AuditWriter, 'actAsTrail'>
}

/** Rows that are looked at in one go. */
const SCAN_ROWS = 5000

/** Rows that one commit deletes: the server answers nobody meanwhile. */
const DELETE_ROWS = 500

/** What is to go of one writer: all entries up to `last`, of which `firstSeq` is the first. */
type Front = { readonly firstSeq: number; readonly last: ChainHead }

/** Creates the pruning. */
export function createAuditPruning({ db, writer }: AuditPruningOptions): AuditTrail['prune'] {
  async function deleteFront({ firstSeq, last }: Front): Promise<void> {
    for (let seq = firstSeq; seq <= last.seq; seq += DELETE_ROWS) {
      await writer.actAsTrail(async (transaction) =>
        transaction
          .deleteFrom('audit_entry')
          .where('writer_id', '=', last.writerId)
          .where('seq', '<', Math.min(seq + DELETE_ROWS, last.seq + 1))
          .execute(),
      )
      await setImmediate()
    }
  }

  return async ({ beforeAt, ...context }) => {
    const fronts: Front[] = []
    for (const writerId of await listWriters(db, {})) {
      const front = await findFront(db, { writerId, beforeAt })
      if (front !== undefined) fronts.push(front)
    }
    if (fronts.length === 0) return { entries: 0, writers: 0 }
    const isFresh = new Set(fronts.map(({ last }) => last.writerId))
    await writer.actAsTrail(async (transaction, note) => {
      for (const { last } of fronts) note(createPrunedEvent(last, context))
      // What was signed off earlier stays so when the entry that says it is old itself.
      for (const anchor of (await findAnchors(transaction)).values()) {
        if (anchor.at < beforeAt && !isFresh.has(anchor.writerId)) {
          note(createPrunedEvent(anchor, context))
        }
      }
    })
    for (const front of fronts) await deleteFront(front)
    const counts = fronts.map(({ firstSeq, last }) => last.seq - firstSeq + 1)
    return { entries: counts.reduce((sum, count) => sum + count, 0), writers: fronts.length }
  }
}

/** Finds the longest run of entries, from a writer's first one on, that are all old. */
async function findFront(
  db: Kysely<Tables>,
  { beforeAt, writerId }: { readonly writerId: string; readonly beforeAt: number },
): Promise<Front | undefined> {
  let firstSeq: number | undefined
  let last: ChainHead | undefined
  for (;;) {
    const rows = await db
      .selectFrom('audit_entry')
      .select(['seq', 'hash', 'at'])
      .where('writer_id', '=', writerId)
      .where('seq', '>', last?.seq ?? 0)
      .orderBy('seq')
      .limit(SCAN_ROWS)
      .execute()
    for (const { at, hash, seq } of rows) {
      if (at >= beforeAt) return toFront(firstSeq, last)
      firstSeq ??= seq
      last = { writerId, seq, hash }
    }
    if (rows.length < SCAN_ROWS) return toFront(firstSeq, last)
    await setImmediate()
  }
}

function toFront(firstSeq: number | undefined, last: ChainHead | undefined): Front | undefined {
  return firstSeq === undefined || last === undefined ? undefined : { firstSeq, last }
}
