import type { Result } from '@deputy/auth/protocol'
import type { Hold, Quote } from '@deputy/contracts/billing'
import type { CallRecord } from '@deputy/contracts/call'

/** Why billing did not do what it was asked. */
export type BillingFailure = {
  /** `refused`: billing decided no. `unavailable`: it was not asked, or decided nothing. */
  readonly kind: 'refused' | 'unavailable'
  /** Billing's own reason, or what went wrong on the way. */
  readonly reason: string
  readonly message: string
  readonly hint: string
}

/** What research needs of billing for one job. Every step may be repeated: billing does each once. */
export type JobBilling = {
  quote(units: number): Promise<Result<Quote, BillingFailure>>
  hold(quoteId: string): Promise<Result<Hold, BillingFailure>>
  capture(holdId: string, amountMinor: number): Promise<Result<Hold, BillingFailure>>
  release(holdId: string): Promise<Result<Hold, BillingFailure>>
  /** The calls made so far, in order. */
  readonly calls: readonly CallRecord[]
}

/** Opens the billing of one job; under a task grant, where the work stands on one, and in the trace of whoever asked. */
export type BillingGateway = (jobId: string, taskGrant?: string, traceparent?: string) => JobBilling
