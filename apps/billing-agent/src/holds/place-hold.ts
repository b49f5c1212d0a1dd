import { Hold, type HoldInput } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { createId } from '@deputy/storage'
import { countHold } from '../budgets/count-hold.ts'
import { chargeQuotas, spenderOf } from '../quotas/charge-quotas.ts'
import { availableAccount, heldAccount, transfer } from '../ledger/posting.ts'
import { holderOf } from '../owners/owner.ts'
import { refuseCall } from '../refusals.ts'
import { toPosting, type ServiceDeps } from '../service-deps.ts'
import type { HoldRecord } from './hold-store.ts'

/** How long a hold stands until it ends by itself. */
export const HOLD_TTL_SECONDS = 3600

/** `billing.hold`: sets a quote's amount aside on the caller's account, within its budgets. */
export async function placeHold(
  { clock, runOnce }: ServiceDeps,
  call: Call,
  input: HoldInput,
): Promise<Hold> {
  const { principal } = call
  const holder = holderOf(principal)
  const once = { principal, procedure: 'billing.hold', input, output: Hold }
  return runOnce(once, async ({ budgets, holds, ledger, quotas, quotes }) => {
    const now = clock.now()
    const quote = await quotes.find(holder, input.quoteId)
    if (quote === undefined) throw refuseCall('quote_unknown', `No quote ${input.quoteId}`)
    if (quote.expiresAt <= now) {
      throw refuseCall('quote_expired', `The quote ${quote.quoteId} has expired`)
    }
    const hold: HoldRecord = {
      holdId: createId(now),
      quoteId: quote.quoteId,
      reference: input.reference,
      state: 'held',
      amount: quote.amount,
      capturedMinor: 0,
      expiresAt: now + HOLD_TTL_SECONDS,
      ownerId: holder.ownerId,
      account: holder.agentId,
      service: quote.service,
      createdAt: now,
      endedAt: undefined,
      isExpired: false,
    }
    if (!(await holds.insert(hold, principal.grantPath))) {
      throw refuseCall('quote_used', `The quote ${quote.quoteId} was used for another hold`)
    }
    // Before the funds: whoever may spend next to nothing need not learn what is on the account.
    await countHold(budgets, { principal, hold, ownerId: holder.ownerId, now })
    await chargeQuotas(quotas, {
      call,
      spender: spenderOf(call, holder.ownerId),
      measure: { kind: 'money', currency: quote.amount.currency },
      sourceId: hold.holdId,
      amount: quote.amount.amountMinor,
      state: 'held',
      isBound: true,
      now,
      expiresAt: hold.expiresAt,
    })
    // Only now: the hold of a quote that was used before may be what took the money.
    const { amountMinor, currency } = quote.amount
    const available = await ledger.balanceOf(availableAccount(holder), currency)
    if (available < amountMinor) {
      const message = `${String(amountMinor)} minor units of ${currency} are needed, ${String(available)} are available`
      throw refuseCall('insufficient_funds', message)
    }
    const entries = transfer(availableAccount(holder), heldAccount(holder), amountMinor)
    await ledger.post(
      toPosting(call, {
        procedure: once.procedure,
        createdAt: now,
        currency,
        entries,
        holdId: hold.holdId,
      }),
    )
    return Hold.parse(hold)
  })
}
