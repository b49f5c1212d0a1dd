// A hold counts against every budget of the token that it is placed with: those of all grants that the
// token stands on, in the transaction of the posting. So branches that work at the same time share what
// their grant has, and together never hold or spend more.
import { readLimits, type Budget, type Principal } from '@deputy/auth'
import { AuthError } from '@deputy/auth/trpc'
import type { EpochSeconds } from '@deputy/auth/protocol'
import type { HoldRecord } from '../holds/hold-store.ts'
import { refuseCall } from '../refusals.ts'
import type { BudgetStore } from './budget-store.ts'

type CountedHold = Pick<HoldRecord, 'amount' | 'expiresAt' | 'holdId'>

/** What a hold is counted by. */
export type HoldCount = {
  readonly principal: Pick<Principal, 'grantPath' | 'limits'>
  readonly hold: CountedHold
  readonly ownerId: string
  readonly now: EpochSeconds
}

/**
 * Counts a new hold. Throws `budget_exceeded` or `budget_currency`, upon which the transaction is undone,
 * and what other budgets counted with it.
 */
export async function countHold(
  budgets: BudgetStore,
  { hold, now, ownerId, principal }: HoldCount,
): Promise<void> {
  const limits = readLimits(principal)
  if (!limits.ok) throw new AuthError(limits.refusal)
  for (const budget of limits.value.budgets) {
    const { amountMinor, currency } = hold.amount
    if (budget.currency !== currency) {
      const message = `The budget of the grant ${budget.identifier} is in ${budget.currency}: nothing in ${currency} can be held under it`
      throw refuseCall('budget_currency', message)
    }
    await countOne(budgets, budget, { hold, now, ownerId, amountMinor })
  }
}

async function countOne(
  budgets: BudgetStore,
  budget: Budget,
  {
    amountMinor,
    hold,
    now,
    ownerId,
  }: Pick<HoldCount, 'now' | 'ownerId'> & { hold: CountedHold; amountMinor: number },
): Promise<void> {
  const use = await budgets.open(budget, { ownerId, now })
  const { currency, identifier } = budget
  const capMinor = Math.min(budget.capMinor, use.capMinor)
  const usedMinor = use.heldMinor + use.capturedMinor
  if (usedMinor + amountMinor > capMinor) {
    const message = `The budget of the grant ${identifier} is ${String(capMinor)} minor units of ${currency}, of which ${String(usedMinor)} are used: ${String(amountMinor)} more do not fit`
    throw refuseCall('budget_exceeded', message)
  }
  const { expiresAt, holdId } = hold
  await budgets.hold(budget, { holdId, amountMinor, expiresAt })
}
