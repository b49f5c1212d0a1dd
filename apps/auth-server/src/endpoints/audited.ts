// Wraps an endpoint so that what it refuses is on the audit trail before the answer goes out.
import type { AuditEvent } from '../audit/audit-event.ts'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Endpoint, OAuthRequest } from '../http/oauth-request.ts'
import { OAuthError } from '../oauth-error.ts'

/** What an endpoint learns on its way that belongs into the entry of a refusal. */
export type Trail = { note(known: Partial<AuditEvent>): void }

/** An endpoint that says what it learns. */
export type AuditedEndpoint = (request: OAuthRequest, trail: Trail) => ReturnType<Endpoint>

/** Creates the endpoint; refusals are recorded under this event. */
export function createAuditedEndpoint(
  audit: AuditLog,
  event: AuditEvent['event'],
  endpoint: AuditedEndpoint,
): Endpoint {
  return async (request) => {
    const notes: Partial<AuditEvent>[] = []
    const note = (known: Partial<AuditEvent>): void => void notes.push(known)
    try {
      return await endpoint(request, { note })
    } catch (error) {
      if (error instanceof OAuthError && error.isAudited) {
        const { code, reason, status } = error
        const known: Partial<AuditEvent> = {}
        for (const noted of notes) Object.assign(known, noted)
        await audit.record({
          ...describeRequest(request),
          ...known,
          event: findEvent(code, status) ?? event,
          outcome: 'refused',
          reason,
        })
      }
      throw error
    }
  }
}

/** What every entry about a request has. */
export function describeRequest(request: OAuthRequest) {
  return {
    correlationId: request.correlationId,
    traceId: request.traceId,
    address: request.remoteAddress,
  }
}

/** What is not about the endpoint, but about who calls it. */
function findEvent(code: string, status: number): AuditEvent['event'] | undefined {
  if (code === 'invalid_client') return 'client.authentication_failed'
  return status === 429 ? 'rate_limit.exceeded' : undefined
}
