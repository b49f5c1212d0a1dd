import type { AuditEntry, AuditEvent } from '../src/audit/audit-event.ts'
import type { AuditTrail } from '../src/audit/audit-trail.ts'
import { EVERY_OWNER, type Tenancy } from '../src/owners/tenancy.ts'

/** A token issued to `agent-alice`, of the owner `acme`. */
export function makeAuditEvent(members: Partial<AuditEvent> = {}): AuditEvent {
  return {
    event: 'token.issued',
    outcome: 'success',
    ownerId: 'acme',
    actorId: 'agent-alice',
    subjectId: 'agent-alice',
    ...members,
  }
}

/** Records events one after the other. */
export async function recordEach(
  trail: AuditTrail,
  events: readonly Partial<AuditEvent>[],
): Promise<void> {
  for (const event of events) await trail.record(makeAuditEvent(event))
}

/** All entries that somebody may see, oldest first, but for those that the trail writes of itself. */
export async function readAll(
  trail: AuditTrail,
  within: Tenancy = EVERY_OWNER,
): Promise<readonly AuditEntry[]> {
  const { entries } = await trail.list({ within, filter: {}, limit: 10_000 })
  return entries.filter(({ event }) => event !== 'writer.started').toReversed()
}
