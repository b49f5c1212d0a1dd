import { ReleasedGrant, type ReleaseGrantInput } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { ownerOf, SYSTEM_OWNER_ID } from '../owners/owner.ts'
import { giveBack } from '../holds/end-hold.ts'
import type { ServiceDeps } from '../service-deps.ts'
import { toOpenHold } from './open-hold.ts'

/** Holds that one call releases at most: the ledger is held for that long. */
export const MAX_RELEASED_HOLDS = 500

/**
 * `billing.releaseGrant`: gives back what is held below a grant, to whichever account it was held from. For
 * the operator, once a grant was revoked; what is captured stays captured.
 */
export async function releaseGrant(
  { clock, runOnce }: ServiceDeps,
  call: Call,
  input: ReleaseGrantInput,
): Promise<ReleasedGrant> {
  const { principal } = call
  const { grantId } = input
  const own = ownerOf(principal)
  const ownerId = own === SYSTEM_OWNER_ID ? undefined : own
  const procedure = 'billing.releaseGrant'
  const once = { principal, procedure, input, output: ReleasedGrant }
  return runOnce(once, async (transaction) => {
    const limit = MAX_RELEASED_HOLDS + 1
    const open = await transaction.holds.listOpen({ grantId, ownerId, limit })
    const taken = open.slice(0, MAX_RELEASED_HOLDS)
    for (const hold of taken) {
      await giveBack(transaction, hold, { call, procedure, createdAt: clock.now() })
    }
    return { grantId, released: taken.map(toOpenHold), isComplete: open.length === taken.length }
  })
}
