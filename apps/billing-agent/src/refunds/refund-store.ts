import type { EpochSeconds } from '@deputy/auth/protocol'

/** Money that was given back of a capture. */
export type RefundRecord = {
  readonly refundId: string
  readonly holdId: string
  readonly postingId: string
  readonly amountMinor: number
  readonly reason: string
  readonly createdAt: EpochSeconds
}

/** Where refunds are kept, final. Only for use inside a transaction. */
export type RefundStore = {
  /** Rejects, and the transaction with it, if more would be given back than was captured. */
  insert(refund: RefundRecord): Promise<void>
  /** What was given back of a capture so far. */
  sumOf(holdId: string): Promise<number>
}
