import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Call } from '@deputy/contracts/call'
import { availableAccount, incomeAccount } from '../ledger/posting.ts'
import type { Holder } from '../owners/owner.ts'
import { chargeQuotas, spenderOf } from '../quotas/charge-quotas.ts'
import { refuseCall } from '../refusals.ts'
import { toPosting } from '../service-deps.ts'
import type { BillingTransaction } from '../storage/open-storage.ts'
import type { UsageLineRecord } from './usage-store.ts'

export type UsageCharge = {
  readonly call: Call
  readonly holder: Holder
  readonly statementId: string
  readonly currency: string
  readonly closedAt: EpochSeconds
  readonly usage: readonly UsageLineRecord[]
}

/**
 * Takes what usage comes to from the account, with the statement that says so; what was billed too much returns.
 * What is billed counts against quotas on money, and is not refused by them: it was used. What returns makes no room in
 * them, as little as a refund does: it may have been billed in another period. Throws `insufficient_funds`.
 */
export async function chargeUsage(
  { ledger, quotas }: BillingTransaction,
  { call, closedAt, currency, holder, statementId, usage }: UsageCharge,
): Promise<void> {
  const account = availableAccount(holder)
  const totalMinor = usage.reduce((total, { amountMinor }) => total + amountMinor, 0)
  const available = await ledger.balanceOf(account, currency)
  if (available < totalMinor) {
    const message = `The usage comes to ${String(totalMinor)} minor units of ${currency}, ${String(available)} are available`
    throw refuseCall('insufficient_funds', message)
  }
  const entries = usage.map(({ amountMinor, meter }) => ({
    account: incomeAccount(meter, holder.ownerId),
    amountMinor,
  }))
  const moved = [...entries, { account, amountMinor: -totalMinor }].filter(
    ({ amountMinor }) => amountMinor !== 0,
  )
  if (moved.length === 0) return
  const movement = { procedure: 'billing.closeStatement', createdAt: closedAt, currency }
  await ledger.post(toPosting(call, { ...movement, entries: moved, ownerId: holder.ownerId }))
  const { grantIds } = spenderOf(call, holder.ownerId)
  await chargeQuotas(quotas, {
    call,
    spender: { ownerId: holder.ownerId, agentIds: [holder.agentId], grantIds },
    measure: { kind: 'money', currency },
    sourceId: statementId,
    amount: usage.reduce((total, { amountMinor }) => total + Math.max(0, amountMinor), 0),
    state: 'used',
    isBound: false,
    now: closedAt,
  })
}
