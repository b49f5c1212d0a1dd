import type { AllowedValuesLimit, LimitType } from '../protocol/index.ts'

/** A limit that counts calls has none left for this agent. */
export type CallsRefusal = {
  readonly reason: 'calls_exhausted'
  /** The grant that set the limit. */
  readonly identifier: string
  readonly max: number
}

/** What somebody would have to approve, as `approved_call` names it. */
export type CallToApprove = { readonly procedure: string; readonly inputSha256: string }

/** What this call needs further on waits for somebody's approval, which another agent asked for. */
export type PendingApproval = {
  readonly approvalId: string
  /** How long to wait before the call is sent again. */
  readonly intervalSeconds: number
  /** How long somebody may still approve it. */
  readonly expiresInSeconds?: number | undefined
}

/** The credential is good and has the scopes, but is limited (RFC 9396) to less than this call. */
export type LimitRefusal =
  | { readonly reason: 'limit_not_supported'; readonly limitType: string }
  | { readonly reason: 'limit_malformed'; readonly limitType: LimitType }
  | {
      readonly reason: 'limit_value_not_allowed'
      readonly field: string
      readonly allowedValues: AllowedValuesLimit['values']
    }
  | CallsRefusal
  | ({ readonly reason: 'approval_required' } & CallToApprove)
  | ({ readonly reason: 'approval_mismatch' } & CallToApprove)
  | { readonly reason: 'approval_used'; readonly identifier: string }
  | ({ readonly reason: 'approval_pending' } & PendingApproval)
  | { readonly reason: 'approval_denied'; readonly approvalId: string }
  | { readonly reason: 'limit_unavailable'; readonly detail: string }
