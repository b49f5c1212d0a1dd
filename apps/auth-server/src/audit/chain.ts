// Every entry carries the hash of the one before it, so that none can be changed, taken out or put in
// without the next ones telling.
//
// What this proves, and what not: the chain stands in the same database as the entries and is made
// without a secret. Whoever can write to the database and rewrites every entry after the one they
// changed, and each entry of other writers that names one of those, leaves a chain that verifies. So
// does whoever cuts off the newest entries, until something else remembers them. What remembers: the
// entry with which a later writer starts, the running server itself, and a checkpoint that an operator
// keeps elsewhere. Only the last one holds against somebody who owns both server and database.
import { hash } from 'node:crypto'
import type { AuditEntry, ChainPlace, TrailEvent } from './audit-event.ts'

/** The newest entry of a writer, as far as somebody knows. */
export type ChainHead = Pick<ChainPlace, 'writerId' | 'seq' | 'hash'>

/** An entry that has no `id` yet. */
export type ChainedEvent = Omit<AuditEntry, 'id'>

/** What is hashed of an entry. */
type Hashed = Omit<ChainedEvent, 'hash'>

/** Begins every hashed text: another form of entry will have another. */
const FORM = 'deputy-audit-1'

/** Chains an event to the head of its writer. */
export function chainEvent(event: TrailEvent, head: ChainHead, at: number): ChainedEvent {
  const place = { writerId: head.writerId, seq: head.seq + 1, prevHash: head.hash }
  const entry = { ...event, ...place, at }
  return { ...entry, hash: hashEntry(entry) }
}

/** The head of a writer that has written nothing. */
export function createEmptyHead(writerId: string): ChainHead {
  return { writerId, seq: 0, hash: '' }
}

/** Hashes all of an entry but its `id`, which the database gives it: an array, so that order is fixed. */
export function hashEntry(entry: Hashed): string {
  const text = JSON.stringify([
    FORM,
    entry.writerId,
    entry.seq,
    entry.prevHash,
    entry.at,
    entry.event,
    entry.outcome,
    entry.reason,
    entry.ownerId,
    entry.actorId,
    entry.subjectId,
    entry.target?.kind,
    entry.target?.id,
    entry.audience,
    entry.scope,
    entry.credentialId,
    entry.tokenId,
    entry.grantId,
    entry.correlationId,
    entry.traceId,
    entry.address,
    formatDetails(entry.details),
  ])
  return hash('sha256', text, 'base64url')
}

/** Writes details as one text, always the same for the same details. */
export function formatDetails(details: AuditEntry['details']): string | undefined {
  if (details === undefined) return undefined
  const sorted = Object.entries(details).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(Object.fromEntries(sorted))
}
