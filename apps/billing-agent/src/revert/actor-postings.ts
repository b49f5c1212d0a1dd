import type { EpochSeconds } from '@deputy/auth/protocol'

/** Whose postings are looked for. */
export type ActorQuery = {
  readonly ownerId: string
  readonly agentId: string
  readonly grantId: string | undefined
  readonly since: EpochSeconds
  readonly limit: number
}

/** A posting that can be reverted still. */
export type ActorPosting = {
  readonly postingId: string
  readonly procedure: 'billing.deposit' | 'billing.hold' | 'billing.capture'
  readonly holdId: string | undefined
  /** Of a deposit: the account that it went to. */
  readonly account: string
  readonly amountMinor: number
  readonly currency: string
}

/** Reads what one agent did to the book and what is in force still. Only for use inside a transaction. */
export type ActorPostings = {
  /**
   * Deposits that were not taken back, holds that are open, captures that were not given back whole; oldest first, but
   * deposits whose money is gone at the end, so that they keep none from the others.
   */
  list(query: ActorQuery): Promise<readonly ActorPosting[]>
}
