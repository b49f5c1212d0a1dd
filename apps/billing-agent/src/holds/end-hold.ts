// The two ways in which a hold ends, each once.
import { Hold, type CaptureInput, type ReleaseInput } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { availableAccount, captureEntries, heldAccount, transfer } from '../ledger/posting.ts'
import { holderOf, type Holder } from '../owners/owner.ts'
import { refuseCall } from '../refusals.ts'
import { toPosting, type Movement, type ServiceDeps } from '../service-deps.ts'
import type { BillingTransaction } from '../storage/open-storage.ts'
import type { HoldRecord, HoldStore } from './hold-store.ts'

/** `billing.capture`: takes at most what is held; the rest returns to the account. */
export async function captureHold(
  { clock, runOnce }: ServiceDeps,
  call: Call,
  input: CaptureInput,
): Promise<Hold> {
  const { principal } = call
  const holder = holderOf(principal)
  const once = { principal, procedure: 'billing.capture', input, output: Hold }
  return runOnce(once, async ({ budgets, holds, ledger, quotas }) => {
    const now = clock.now()
    const hold = await findOpenHold(holds, holder, input.holdId)
    if (hold.expiresAt <= now) {
      throw refuseCall('hold_expired', `The hold ${hold.holdId} has expired`)
    }
    const { amountMinor: heldMinor, currency } = hold.amount
    const capturedMinor = input.amountMinor
    if (capturedMinor > heldMinor) {
      const message = `${String(capturedMinor)} cannot be captured: the hold is over ${String(heldMinor)} minor units of ${currency}`
      throw refuseCall('capture_exceeds_hold', message)
    }
    // Once it has expired, others may use what it held of a budget, whatever a clock that goes back says.
    const isCounted =
      (await budgets.capture(hold.holdId, capturedMinor)) &&
      (await quotas.capture(hold.holdId, capturedMinor))
    if (!isCounted) {
      throw refuseCall('hold_expired', `The hold ${hold.holdId} has expired`)
    }
    const { holdId, service } = hold
    const entries = captureEntries({ holder, service, heldMinor, capturedMinor })
    await ledger.post(
      toPosting(call, {
        procedure: once.procedure,
        createdAt: now,
        currency,
        entries,
        holdId,
        refersTo: await ledger.findOfHold(holdId, 'billing.hold'),
      }),
    )
    await holds.end(hold.holdId, { capturedMinor, endedAt: now })
    return Hold.parse({ ...hold, state: 'captured', capturedMinor })
  })
}

/** `billing.release`: returns all that is held. An expired hold can still be released. */
export async function releaseHold(
  { clock, runOnce }: ServiceDeps,
  call: Call,
  input: ReleaseInput,
): Promise<Hold> {
  const { principal } = call
  const holder = holderOf(principal)
  const once = { principal, procedure: 'billing.release', input, output: Hold }
  return runOnce(once, async (transaction) => {
    const known = await transaction.holds.find(holder, input.holdId)
    // Its time was over before its owner came: what was asked for is done.
    if (known?.isExpired === true) return Hold.parse(known)
    const hold = await findOpenHold(transaction.holds, holder, input.holdId)
    const movement = { procedure: once.procedure, createdAt: clock.now() }
    return giveBack(transaction, hold, { call, ...movement })
  })
}

/** What a release is noted with. */
export type Release = Pick<Movement, 'createdAt' | 'procedure'> & {
  readonly call: Call
  readonly isExpired?: boolean | undefined
}

/** Returns what an open hold holds to its account, and to the budgets and quotas that it counts against. */
export async function giveBack(
  { budgets, holds, ledger, quotas }: BillingTransaction,
  hold: HoldRecord,
  { call, createdAt, isExpired, procedure }: Release,
): Promise<Hold> {
  const { account: agentId, amount, holdId, ownerId } = hold
  const { amountMinor, currency } = amount
  const holder = { ownerId, agentId }
  const entries = transfer(heldAccount(holder), availableAccount(holder), amountMinor)
  const refersTo = await ledger.findOfHold(holdId, 'billing.hold')
  await ledger.post(
    toPosting(call, { procedure, createdAt, currency, entries, holdId, ownerId, refersTo }),
  )
  await holds.end(holdId, { capturedMinor: 0, endedAt: createdAt, isExpired })
  await budgets.giveBack(holdId)
  await quotas.giveBack(holdId)
  return Hold.parse({ ...hold, state: 'released' })
}

async function findOpenHold(holds: HoldStore, holder: Holder, holdId: string): Promise<HoldRecord> {
  const hold = await holds.find(holder, holdId)
  if (hold === undefined) throw refuseCall('hold_unknown', `No hold ${holdId}`)
  if (hold.isExpired) throw refuseCall('hold_expired', `The hold ${holdId} has expired`)
  if (hold.state !== 'held') {
    const reason = hold.state === 'captured' ? 'hold_captured' : 'hold_released'
    throw refuseCall(reason, `The hold ${holdId} is ${hold.state} already`)
  }
  return hold
}
