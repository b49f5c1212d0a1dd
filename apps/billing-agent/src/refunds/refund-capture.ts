import { Refund, type RefundInput } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { createId } from '@deputy/storage'
import type { HoldRecord } from '../holds/hold-store.ts'
import { availableAccount, incomeAccount, transfer } from '../ledger/posting.ts'
import { operatedOwner } from '../owners/owner.ts'
import { refuseCall } from '../refusals.ts'
import { toPosting, type ServiceDeps } from '../service-deps.ts'
import type { BillingTransaction } from '../storage/open-storage.ts'

/** `billing.refund`: gives back of a capture, over all refunds at most what was captured. Budgets get nothing back. */
export async function refundCapture(
  { clock, runOnce }: ServiceDeps,
  call: Call,
  input: RefundInput,
): Promise<Refund> {
  const { principal } = call
  const ownerId = operatedOwner(principal, input.ownerId)
  const procedure = 'billing.refund'
  return runOnce({ principal, procedure, input, output: Refund }, async (transaction) => {
    const hold = await transaction.holds.findOwned(ownerId, input.holdId)
    if (hold === undefined) throw refuseCall('hold_unknown', `No hold ${input.holdId}`)
    if (hold.state !== 'captured') {
      throw refuseCall('hold_not_captured', `Nothing was captured of the hold ${hold.holdId}`)
    }
    const { amountMinor, reason } = input
    const { capturedMinor, holdId } = hold
    const before = await transaction.refunds.sumOf(holdId)
    if (before + amountMinor > capturedMinor) {
      const message = `${String(amountMinor)} cannot be given back: of ${String(capturedMinor)} captured, ${String(before)} were given back before`
      throw refuseCall('refund_exceeds_capture', message)
    }
    const createdAt = clock.now()
    return postRefund(transaction, hold, { call, procedure, createdAt, amountMinor, reason })
  })
}

export type RefundOrder = {
  readonly call: Call
  readonly procedure: string
  readonly createdAt: number
  readonly amountMinor: number
  readonly reason: string
}

/** Posts a refund that was found to fit, linked to its capture. */
export async function postRefund(
  { ledger, refunds }: BillingTransaction,
  hold: HoldRecord,
  { amountMinor, call, createdAt, procedure, reason }: RefundOrder,
): Promise<Refund> {
  const { account: agentId, amount, capturedMinor, holdId, ownerId, service } = hold
  const { currency } = amount
  const income = incomeAccount(service, ownerId)
  const entries = transfer(income, availableAccount({ ownerId, agentId }), amountMinor)
  const refersTo = await ledger.findOfHold(holdId, 'billing.capture')
  const movement = { procedure, createdAt, currency, entries, holdId, ownerId, refersTo }
  const posting = toPosting(call, movement)
  await ledger.post(posting)
  const refundId = createId(createdAt)
  const refund = { refundId, holdId, postingId: posting.id, amountMinor, reason, createdAt }
  await refunds.insert(refund)
  const refundedMinor = await refunds.sumOf(holdId)
  return {
    refundId,
    holdId,
    account: agentId,
    amount: { amountMinor, currency },
    capturedMinor,
    refundedMinor,
    reason,
    createdAt,
  }
}
