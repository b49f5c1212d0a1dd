import type { Budget } from '@deputy/auth'
import type { EpochSeconds } from '@deputy/auth/protocol'

/** What was used of a grant's budget in one currency, in minor units. */
export type BudgetUse = {
  /** As the first token below the grant had it. */
  readonly capMinor: number
  readonly heldMinor: number
  readonly capturedMinor: number
}

export type BudgetKey = {
  readonly identifier: string
  readonly currency: string
  readonly ownerId: string | undefined
}

/** A hold as it counts against a budget. */
export type BudgetHold = {
  readonly holdId: string
  readonly amountMinor: number
  readonly expiresAt: EpochSeconds
}

/** Where the use of budgets is kept. Only for use inside a transaction: that of the posting it counts. */
export type BudgetStore = {
  /** What was used so far, where a hold that expired counts no longer. Begins an account of a new budget. */
  open(
    budget: Budget,
    by: { readonly ownerId: string; readonly now: EpochSeconds },
  ): Promise<BudgetUse>
  /** `undefined` for one that was never opened, or by another organisation; of any where `ownerId` is. */
  find(key: BudgetKey): Promise<BudgetUse | undefined>
  /** Counts a hold. Rejects, and the transaction with it, if that would exceed the cap. */
  hold(budget: Budget, hold: BudgetHold): Promise<void>
  /**
   * Counts what was captured of a hold, and gives back the rest, in each of its budgets. Answers `false`,
   * changing nothing, when the hold was given back before, so that it may not be captured any more.
   */
  capture(holdId: string, capturedMinor: number): Promise<boolean>
  /** Gives back what a hold counts for, in each of its budgets. */
  giveBack(holdId: string): Promise<void>
}
