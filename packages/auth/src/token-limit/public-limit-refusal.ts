// What a caller is told of a limit that stands in its way. All of it is in its own token. No error code of
// RFC 6750 §3.1 fits: `insufficient_scope` is for scopes, and the token is as good as before.
import type { PublicRefusal } from '../public-refusal.ts'
import type { Refusal } from '../refusal.ts'
import type { CallToApprove, LimitRefusal } from './limit-refusal.ts'

const NARROWED = 'An operator, or the agent that handed the work on, set it.'

/** Puts a refusal for a limit into words. */
export function toPublicLimitRefusal(refusal: LimitRefusal): PublicRefusal {
  const { reason } = refusal
  const bearerError = undefined
  switch (reason) {
    case 'limit_not_supported':
      return {
        status: 403,
        reason,
        message: `This procedure does not know the limit ${quote(refusal.limitType)} of the token`,
        hint: 'A limit that is not understood is not ignored. Call a procedure that keeps it, or ask for a token without it.',
        bearerError,
      }
    case 'limit_malformed':
      return {
        status: 403,
        reason,
        message: `The token's limit of type ${quote(refusal.limitType)} cannot be read or counted`,
        hint: "Ask for a new token. If it is the same, tell the authorization server's operator.",
        bearerError,
      }
    case 'limit_value_not_allowed':
      return {
        status: 403,
        reason,
        message: `The token allows only some values of ${quote(refusal.field)}, and not this one`,
        hint: `Send one of ${JSON.stringify(refusal.allowedValues)}. ${NARROWED}`,
        bearerError,
      }
    case 'calls_exhausted':
      return {
        status: 403,
        reason,
        message: `All ${String(refusal.max)} calls of the grant ${refusal.identifier} to this agent are used`,
        hint: `Ask for a new grant. ${NARROWED}`,
        bearerError,
      }
    case 'approval_required':
      return {
        status: 403,
        reason,
        message: `Somebody has to approve this call of ${refusal.procedure} first`,
        hint: 'Ask the authorization server for a token with an approved_call of this procedure and this input (data.approval).',
        bearerError,
      }
    case 'approval_mismatch':
      return {
        status: 403,
        reason,
        message: 'The token is for another call that was approved',
        hint: 'Send exactly the call that was approved, or use a token without approved_call.',
        bearerError,
      }
    case 'approval_used':
      return {
        status: 403,
        reason,
        message: `The approval ${refusal.identifier} was used for a call before`,
        // Under the same one nothing can be repeated: whether a procedure keeps to the key, the guard does not know.
        hint: 'An approval is good for one call: ask for another one. Where the answer was lost, send the same call with the same idempotency key under it, or look first whether it was carried out.',
        bearerError,
      }
    case 'approval_pending':
      return {
        status: 403,
        reason,
        message: `Something that this call needs waits for approval ${refusal.approvalId}`,
        hint: `Send the same call again after ${String(refusal.intervalSeconds)} seconds, with the same idempotency key if it has one.`,
        bearerError,
      }
    case 'approval_denied':
      return {
        status: 403,
        reason,
        message: `Something that this call needs was not approved (${refusal.approvalId})`,
        hint: 'Ask the operator, who sees it in the admin API (approvals.get).',
        bearerError,
      }
    case 'limit_unavailable':
      return {
        status: 503,
        reason,
        message: "The token's limits cannot be counted right now",
        hint: 'Try again shortly with the same token.',
        bearerError,
      }
  }
}

/** What of a limit programs may want to read, in the error's `data`. */
export type PublicLimit = {
  readonly type: string
  /** The grant that set it. */
  readonly identifier?: string | undefined
  readonly max?: number | undefined
  readonly field?: string | undefined
  readonly allowedValues?: readonly (string | number | boolean)[] | undefined
}

/** What programs may want to read of an approval: the call that needs one, or the one that is waited for. */
export type PublicApproval = Partial<CallToApprove> & {
  readonly id?: string | undefined
  readonly intervalSeconds?: number | undefined
  readonly expiresInSeconds?: number | undefined
}

type LimitData = {
  readonly limit?: PublicLimit | undefined
  readonly approval?: PublicApproval | undefined
}

/** The members of the error's `data` that a refusal adds: none for what is not about a limit. */
export function toPublicLimit(refusal: Refusal): LimitData {
  const { reason } = refusal
  if (reason === 'limit_not_supported' || reason === 'limit_malformed') {
    return { limit: { type: refusal.limitType } }
  }
  if (reason === 'limit_value_not_allowed') {
    const { allowedValues, field } = refusal
    return { limit: { type: 'allowed_values', field, allowedValues } }
  }
  if (reason === 'calls_exhausted') {
    const { identifier, max } = refusal
    return { limit: { type: 'calls', identifier, max } }
  }
  if (reason === 'approval_required' || reason === 'approval_mismatch') {
    const { inputSha256, procedure } = refusal
    return { approval: { procedure, inputSha256 } }
  }
  if (reason === 'approval_pending') {
    const { approvalId: id, expiresInSeconds, intervalSeconds } = refusal
    return { approval: { id, intervalSeconds, expiresInSeconds } }
  }
  if (reason === 'approval_denied') return { approval: { id: refusal.approvalId } }
  if (reason === 'approval_used') {
    return { limit: { type: 'approved_call', identifier: refusal.identifier } }
  }
  return {}
}

/** Names from the token, in a sentence. */
function quote(text: string): string {
  return JSON.stringify(text)
}
