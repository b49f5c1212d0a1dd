// Holds a token request until somebody approved the call that it is for. Asked again and again, as CIBA
// polls (OpenID CIBA Core §7.3, §11): nothing is remembered but the approval itself, so any instance
// answers.
import type { Clock } from '@deputy/auth/protocol'
import { randomUUID } from 'node:crypto'
import type { AuditEvent } from '../audit/audit-event.ts'
import { OAuthError } from '../oauth-error.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import type { Storage } from '../storage/open-storage.ts'
import { fingerprintCall, type ApprovableCall, type Approval } from './approval.ts'
import type { ApprovalRequest } from './read-approval-request.ts'

/** How long to wait before asking again, in seconds (CIBA §7.3). */
export const POLL_INTERVAL_SECONDS = 5

/** Calls of one agent that may wait at once. */
export const MAX_PENDING_PER_AGENT = 100

/** A call that is about to get a token, all else about it being in order. */
export type CallToApprove = Omit<ApprovableCall, 'procedure' | 'inputSha256'> &
  Pick<Approval, 'ownerId' | 'grantPath'> & {
    /** What the audit entry has of the request. */
    readonly context: Partial<AuditEvent>
  }

/**
 * Answers the approval of the call. Rejects with `OAuthError`: `authorization_pending` while nobody
 * decided, `access_denied`, `expired_token`, and `invalid_grant` for an `auth_req_id` that is not of this
 * call.
 */
export type RequireApproval = (request: ApprovalRequest, call: CallToApprove) => Promise<Approval>

export type RequireApprovalOptions = {
  readonly storage: Pick<Storage, 'act' | 'approvals' | 'revocations'>
  readonly clock: Clock
}

/** Creates the holding. */
export function createRequireApproval({ clock, storage }: RequireApprovalOptions): RequireApproval {
  async function findFormer(id: string, fingerprint: string): Promise<Approval> {
    const approval = await storage.approvals.find({ id, within: EVERY_OWNER })
    // Attack prevented: learning of others' approvals, or using one for another call.
    if (approval !== undefined && fingerprintCall(approval) === fingerprint) return approval
    throw new OAuthError({
      code: 'invalid_grant',
      message: 'auth_req_id is not of this client and this call: send the same request as before',
      reason: 'approval_unknown',
    })
  }

  async function ask(request: ApprovalRequest, call: CallToApprove): Promise<Approval> {
    const now = clock.now()
    const { context, ...approvable } = call
    const { bindingMessage, expirySeconds, input, inputSha256, procedure } = request
    const wanted: Approval = {
      ...approvable,
      id: randomUUID(),
      procedure,
      inputSha256,
      input,
      bindingMessage,
      state: 'pending',
      requestedAt: now,
      expiresAt: now + expirySeconds,
    }
    return storage.act(async (stores, note) => {
      // Again, now that nothing is revoked meanwhile. Attack prevented: a request that is kept a moment after what it
      // stands on was ended, to be approved and used without it.
      await stores.revocations.hold()
      await checkStanding(stores, call)
      const { approval, isNew } = await stores.approvals.request(wanted)
      if (!isNew) return approval
      // With this one, and those that came at the same moment: what is too much is undone.
      const waiting = await stores.approvals.countPending(call.agentId, now)
      if (waiting > MAX_PENDING_PER_AGENT) throw tooManyPending()
      note({ ...context, ...describeApproval(approval), event: 'approval.requested' })
      return approval
    })
  }

  return async (request, call) => {
    await checkStanding(storage, call)
    const fingerprint = fingerprintCall({ ...call, ...request })
    const { approvalId } = request
    const approval =
      approvalId === undefined
        ? ((await storage.approvals.findOpen(fingerprint, clock.now())) ??
          (await ask(request, call)))
        : await findFormer(approvalId, fingerprint)
    const left = approval.expiresAt - clock.now()
    if (approval.state === 'denied') {
      throw new OAuthError({
        code: 'access_denied',
        message: 'the call was not approved',
        reason: 'approval_denied',
        members: { auth_req_id: approval.id },
      })
    }
    if (left <= 0) throw approvalExpired(approval.id)
    if (approval.state === 'approved') return approval
    throw new OAuthError({
      code: 'authorization_pending',
      message: `somebody has to approve this call: ask again in ${String(POLL_INTERVAL_SECONDS)} seconds`,
      members: { auth_req_id: approval.id, expires_in: left, interval: POLL_INTERVAL_SECONDS },
      // That it was asked for is on the trail; that it is still being waited for is nothing new.
      isAudited: false,
    })
  }
}

/** Nobody is asked about what could not go on anyway. */
async function checkStanding(
  { revocations }: Pick<Storage, 'revocations'>,
  { actors, grantPath: grantIds, subjectId }: CallToApprove,
): Promise<void> {
  const standing = { grantIds, agentIds: [subjectId, ...actors] }
  if ((await revocations.findDenial(standing)) === undefined) return
  throw new OAuthError({
    code: 'invalid_request',
    message: 'what this token would stand on was revoked',
    reason: 'chain_revoked',
  })
}

function tooManyPending(): OAuthError {
  return new OAuthError({
    code: 'invalid_request',
    message: `${String(MAX_PENDING_PER_AGENT)} calls of this client wait for approval already`,
    reason: 'too_many_pending',
  })
}

/** What was asked for, or approved, in time is no more, whether by the clock or with what it stood on. */
export function approvalExpired(approvalId: string): OAuthError {
  return new OAuthError({
    code: 'expired_token',
    message: 'the time for this call is over: ask again without auth_req_id',
    reason: 'approval_expired',
    members: { auth_req_id: approvalId },
  })
}

/** What entries on the audit trail say of an approval. */
export function describeApproval(approval: Approval) {
  return {
    outcome: 'success',
    ownerId: approval.ownerId,
    actorId: approval.agentId,
    subjectId: approval.subjectId,
    audience: approval.audience,
    scope: approval.scopes.join(' '),
    target: { kind: 'approval', id: approval.id },
    details: { procedure: approval.procedure, inputSha256: approval.inputSha256 },
  } as const satisfies Partial<AuditEvent>
}
