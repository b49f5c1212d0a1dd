// The last door before an entry: no secret, no text without end, nothing that a database cannot give
// back exactly as it was hashed.
import { redactSecrets } from '../redact-secrets.ts'
import type { TrailEvent } from './audit-event.ts'

/** Characters of a text, at most. */
export const MAX_TEXT_CHARS = 512

/** Characters of a scope, at most. */
export const MAX_SCOPE_CHARS = 4096

/** Details of an event, at most. */
export const MAX_DETAILS = 32

/** Returns the event with each text redacted and cut to its bound. */
export function boundEvent(event: TrailEvent): TrailEvent {
  const { details, target } = event
  return {
    event: event.event,
    outcome: event.outcome,
    reason: bound(event.reason),
    ownerId: bound(event.ownerId),
    actorId: bound(event.actorId),
    subjectId: bound(event.subjectId),
    target: target && { kind: boundText(target.kind), id: boundText(target.id) },
    audience: bound(event.audience),
    scope: event.scope === undefined ? undefined : boundText(event.scope, MAX_SCOPE_CHARS),
    credentialId: bound(event.credentialId),
    tokenId: bound(event.tokenId),
    grantId: bound(event.grantId),
    correlationId: bound(event.correlationId),
    traceId: bound(event.traceId),
    address: bound(event.address),
    details: details && boundDetails(details),
  }
}

function bound(text: string | undefined): string | undefined {
  return text === undefined ? undefined : boundText(text)
}

function boundText(text: string, maxChars = MAX_TEXT_CHARS): string {
  const cut = text.length > maxChars ? text.slice(0, maxChars) : text
  // A lone surrogate and U+0000 do not come back from every database as they went in: an entry with
  // one could not be verified, and PostgreSQL would refuse it. Attack prevented: a caller whose
  // refusals cannot be written down.
  const isPlain = cut.isWellFormed() && !cut.includes('\0')
  return redactSecrets(isPlain ? cut : cut.toWellFormed().replaceAll('\0', '\uFFFD'))
}

function boundDetails(details: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(details).slice(0, MAX_DETAILS)
  return Object.fromEntries(kept.map(([name, text]) => [boundText(name), boundText(text)]))
}
