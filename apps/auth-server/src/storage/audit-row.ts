// Audit entries as rows, one column a member.
import type { Insertable, Selectable } from 'kysely'
import type { AuditEntry } from '../audit/audit-event.ts'
import { formatDetails, type ChainedEvent } from '../audit/chain.ts'
import type { StoredLink } from '../audit/chain-source.ts'
import type { AuditEntryTable } from './tables.ts'

export type AuditEntryRow = Selectable<AuditEntryTable>

/** What is written of an entry; the database adds the id. */
export type AuditEntryColumns = Required<Omit<Insertable<AuditEntryTable>, 'id' | 'bucket'>>

/** Writes a row. */
export function toAuditColumns(entry: ChainedEvent): AuditEntryColumns {
  return {
    writer_id: entry.writerId,
    seq: entry.seq,
    prev_hash: entry.prevHash,
    hash: entry.hash,
    at: entry.at,
    event: entry.event,
    outcome: entry.outcome,
    reason: entry.reason ?? null,
    owner_id: entry.ownerId ?? null,
    actor_id: entry.actorId ?? null,
    subject_id: entry.subjectId ?? null,
    target_kind: entry.target?.kind ?? null,
    target_id: entry.target?.id ?? null,
    audience: entry.audience ?? null,
    scope: entry.scope ?? null,
    credential_id: entry.credentialId ?? null,
    token_id: entry.tokenId ?? null,
    grant_id: entry.grantId ?? null,
    correlation_id: entry.correlationId ?? null,
    trace_id: entry.traceId ?? null,
    address: entry.address ?? null,
    details: formatDetails(entry.details) ?? null,
  }
}

/** Reads a row. */
export function toAuditEntry(row: AuditEntryRow): AuditEntry {
  return {
    id: row.id,
    at: row.at,
    event: row.event,
    outcome: row.outcome,
    reason: row.reason ?? undefined,
    ownerId: row.owner_id ?? undefined,
    actorId: row.actor_id ?? undefined,
    subjectId: row.subject_id ?? undefined,
    target: readTarget(row),
    audience: row.audience ?? undefined,
    scope: row.scope ?? undefined,
    credentialId: row.credential_id ?? undefined,
    tokenId: row.token_id ?? undefined,
    grantId: row.grant_id ?? undefined,
    correlationId: row.correlation_id ?? undefined,
    traceId: row.trace_id ?? undefined,
    address: row.address ?? undefined,
    details: readDetails(row.details),
    writerId: row.writer_id,
    seq: row.seq,
    prevHash: row.prev_hash,
    hash: row.hash,
  }
}

/** Reads a row for verification. Attack prevented: a change that reading would hide. */
export function toStoredLink(row: AuditEntryRow): StoredLink {
  const entry = toAuditEntry(row)
  const { bucket: _bucket, id: _id, ...columns } = row
  const written: Record<string, unknown> = toAuditColumns(entry)
  const isExact = Object.entries(columns).every(([name, value]) => written[name] === value)
  return { entry, isExact }
}

function readTarget({ target_id: id, target_kind: kind }: AuditEntryRow): AuditEntry['target'] {
  return kind === null || id === null ? undefined : { kind, id }
}

/** Tolerant: an auditor must be able to read an entry that was tampered with. */
function readDetails(text: string | null): AuditEntry['details'] {
  if (text === null) return undefined
  try {
    const details: unknown = JSON.parse(text)
    if (typeof details !== 'object' || details === null) return {}
    return Object.fromEntries(
      Object.entries(details).flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value]] : [],
      ),
    )
  } catch {
    return {}
  }
}
