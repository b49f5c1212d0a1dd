import type { EpochSeconds, Result } from '../protocol/index.ts'
import type { CallsRefusal } from './limit-refusal.ts'

/** How many calls may be made below a grant. */
export type CallsAllowed = { readonly identifier: string; readonly max: number }

/** Counts, at one agent, the calls that are made below each grant, whichever token they come with. */
export type CallCounter = {
  /**
   * Counts one call under each of these grants, or under none: refuses with the first that has no call
   * left, and of callers at the same moment exactly `max` are let through. A count is kept until the
   * latest `expiresAt` that it was taken with, from which second on it begins anew; what would be over
   * already is refused.
   *
   * Rejects with an error whose `code` ends in `_unavailable` when it cannot be asked: the call must then
   * be refused.
   */
  take(
    calls: readonly CallsAllowed[],
    expiresAt: EpochSeconds,
  ): Promise<Result<undefined, CallsRefusal>>
}

/** Nobody can say how many calls were made: the counter is full, or its server is gone. */
export class CallCounterUnavailableError extends Error {
  override readonly name = 'CallCounterUnavailableError'
  readonly code = 'call_counter_unavailable'
}
