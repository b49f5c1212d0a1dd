// The entries that the trail writes of itself: how a writer starts, how old entries are signed off.
import { SYSTEM_OWNER_ID } from '../owners/owner.ts'
import type { AuditEntry, TrailEvent } from './audit-event.ts'
import type { PruneContext } from './audit-trail.ts'
import type { ChainHead } from './chain.ts'

/** What the `target` of entries about a writer is called. */
export const WRITER_KIND = 'audit_writer'

/**
 * The first entry of a writer. It names the heads of others that no writer has named yet, so that
 * cutting entries off their ends is noticed, or taking all of them away.
 */
export function createStartEvent(writerId: string, others: readonly ChainHead[]): TrailEvent {
  return {
    event: 'writer.started',
    outcome: 'success',
    ownerId: SYSTEM_OWNER_ID,
    target: { kind: WRITER_KIND, id: writerId },
    details: Object.fromEntries(
      others.map((head) => [head.writerId, `${String(head.seq)}:${head.hash}`]),
    ),
  }
}

/** Reads the heads that an entry names. */
export function readNamedHeads(entry: Pick<AuditEntry, 'event' | 'details'>): readonly ChainHead[] {
  if (entry.event !== 'writer.started') return []
  return Object.entries(entry.details ?? {}).map(([writerId, text]) => {
    const [seq = '', hash = ''] = text.split(':')
    return { writerId, seq: readSeq(seq), hash }
  })
}

/** Signs off the entries of a writer up to one: they may be missing from now on. */
export function createPrunedEvent(last: ChainHead, context: PruneContext): TrailEvent {
  return {
    ...context,
    event: 'audit.pruned',
    outcome: 'success',
    ownerId: SYSTEM_OWNER_ID,
    target: { kind: WRITER_KIND, id: last.writerId },
    details: { seq: String(last.seq), hash: last.hash },
  }
}

/** Reads what an entry signs off. */
export function readAnchor(
  entry: Pick<AuditEntry, 'event' | 'target' | 'details'>,
): ChainHead | undefined {
  if (entry.event !== 'audit.pruned' || entry.target?.kind !== WRITER_KIND) return undefined
  const { hash = '', seq = '' } = entry.details ?? {}
  return { writerId: entry.target.id, seq: readSeq(seq), hash }
}

/** A number that no entry has, for a text that is none. */
function readSeq(text: string): number {
  return /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : -1
}
