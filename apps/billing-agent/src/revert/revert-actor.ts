// Takes back what one agent did, by new postings that name those they take back: open holds are released,
// captures given back, deposits taken back as far as the money is there still. What was reverted once is not
// found again, so that a second call has nothing left to do.
import { RevertedActor, type Reversal, type RevertActorInput } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { giveBack } from '../holds/end-hold.ts'
import { availableAccount, fundingAccount, transfer } from '../ledger/posting.ts'
import { operatedOwner } from '../owners/owner.ts'
import { postRefund } from '../refunds/refund-capture.ts'
import { toPosting, type ServiceDeps } from '../service-deps.ts'
import type { BillingTransaction } from '../storage/open-storage.ts'
import type { ActorPosting } from './actor-postings.ts'

/** Postings that one call reverts at most: the ledger is held for that long. */
export const MAX_REVERSALS = 500

const PROCEDURE = 'billing.revertActor'

type Work = {
  readonly transaction: BillingTransaction
  readonly call: Call
  readonly ownerId: string
  readonly createdAt: number
  readonly isDryRun: boolean
  /** In a dry run: what accounts would have gained by what came before. */
  readonly gained: Map<string, number>
}

/** `billing.revertActor`: a dry run unless told otherwise, which claims no idempotency key. */
export async function revertActor(
  deps: ServiceDeps,
  call: Call,
  input: RevertActorInput,
): Promise<RevertedActor> {
  const { principal } = call
  const ownerId = operatedOwner(principal, input.ownerId)
  const { agentId, dryRun: isDryRun, grantId, since } = input
  const work = async (transaction: BillingTransaction): Promise<RevertedActor> => {
    const limit = MAX_REVERSALS + 1
    const found = await transaction.actorPostings.list({ ownerId, agentId, grantId, since, limit })
    const taken = found.slice(0, MAX_REVERSALS)
    // Deposits last: what comes back to an account can be taken back from it.
    const ordered = taken.toSorted((one, other) => rankOf(one) - rankOf(other))
    const createdAt = deps.clock.now()
    const each = { transaction, call, ownerId, createdAt, isDryRun, gained: new Map() }
    const reversals: Reversal[] = []
    for (const posting of ordered) reversals.push(await revert(each, posting))
    return {
      agentId,
      dryRun: isDryRun,
      reversals,
      isComplete:
        found.length === taken.length &&
        reversals.every(({ outcome }) => outcome !== 'insufficient_funds'),
    }
  }
  if (isDryRun) return deps.storage.transaction(work)
  return deps.runOnce({ principal, procedure: PROCEDURE, input, output: RevertedActor }, work)
}

const rankOf = ({ procedure }: ActorPosting): number => (procedure === 'billing.deposit' ? 1 : 0)

async function revert(work: Work, posting: ActorPosting): Promise<Reversal> {
  const { amountMinor, currency, postingId, procedure } = posting
  const reversal = { postingId, procedure, amount: { amountMinor, currency } }
  if (procedure === 'billing.deposit') return { ...reversal, ...(await takeBack(work, posting)) }
  const { call, createdAt, gained, isDryRun, ownerId, transaction } = work
  const hold = await transaction.holds.findOwned(ownerId, posting.holdId ?? '')
  if (hold === undefined) throw new TypeError(`the posting ${postingId} has no hold`)
  const account = hold.account
  const name = `${currency} ${availableAccount({ ownerId, agentId: account })}`
  gained.set(name, (gained.get(name) ?? 0) + amountMinor)
  const order = { call, procedure: PROCEDURE, createdAt }
  if (procedure === 'billing.hold') {
    if (!isDryRun) await giveBack(transaction, hold, order)
    return { ...reversal, account, outcome: 'released' }
  }
  if (!isDryRun) {
    await postRefund(transaction, hold, { ...order, amountMinor, reason: 'reverted' })
  }
  return { ...reversal, account, outcome: 'refunded' }
}

async function takeBack(
  work: Work,
  { account, amountMinor, currency, postingId }: ActorPosting,
): Promise<Pick<Reversal, 'account' | 'outcome'>> {
  const { call, createdAt, gained, isDryRun, ownerId, transaction } = work
  const key = `${currency} ${account}`
  const wouldGain = isDryRun ? (gained.get(key) ?? 0) : 0
  const available = (await transaction.ledger.balanceOf(account, currency)) + wouldGain
  if (available < amountMinor) return { account, outcome: 'insufficient_funds' }
  gained.set(key, (gained.get(key) ?? 0) - amountMinor)
  if (!isDryRun) {
    const entries = transfer(account, fundingAccount(ownerId), amountMinor)
    const movement = { procedure: PROCEDURE, createdAt, currency, entries, ownerId }
    await transaction.ledger.post(toPosting(call, { ...movement, refersTo: postingId }))
  }
  return { account, outcome: 'taken_back' }
}
