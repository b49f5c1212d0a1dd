import type { Principal } from '@deputy/auth'
import type { AuditEvent } from '../audit/audit-event.ts'

/** What an audit entry has of a call of the admin API. */
export type CallDescription = Pick<
  AuditEvent,
  'actorId' | 'credentialId' | 'tokenId' | 'correlationId' | 'traceId'
>

/** Says who made a call and with what, and how to find it elsewhere. */
export function describeCall(call: {
  readonly principal: Principal
  readonly correlationId: string
  readonly traceId: string
}): CallDescription {
  const { correlationId, principal, traceId } = call
  const { agentId, credential, grantPath } = principal
  return {
    actorId: agentId,
    // What the token stands on in the end: the secret or key to deactivate.
    credentialId: grantPath[0] ?? credential.id,
    ...(credential.kind === 'access_token' ? { tokenId: credential.id } : {}),
    correlationId,
    traceId,
  }
}
