import { requireScope } from '@deputy/auth/trpc'
import type { BudgetInput, BudgetReport } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import type { ServiceDeps } from '../service-deps.ts'
import { ownerOf, SYSTEM_OWNER_ID } from '../owners/owner.ts'
import { toOpenHold } from './open-hold.ts'

/** Open holds that a report lists at most. */
const MAX_OPEN_HOLDS = 1000

/**
 * `billing.budget`: what is used below a grant that the caller's own token stands on; below any other one
 * for whoever has `billing:audit`. Only an auditor sees the holds of other accounts. Throws the 403 of a
 * missing scope, whether there is such a grant or not.
 */
export async function readBudget(
  { clock, storage }: Pick<ServiceDeps, 'clock' | 'storage'>,
  { principal }: Call,
  { currency, identifier }: BudgetInput,
): Promise<BudgetReport> {
  const isOwn = principal.grantPath.includes(identifier)
  if (!isOwn) requireScope(principal, 'billing:audit')
  const isAuditor = principal.scopes.includes('billing:audit')
  const account = isAuditor ? undefined : principal.subject
  const own = ownerOf(principal)
  const ownerId = own === SYSTEM_OWNER_ID && isAuditor ? undefined : own
  return storage.read(async ({ budgets, holds }) => {
    const below = { grantId: identifier, currency, ownerId }
    const use = await budgets.find({ identifier, currency, ownerId })
    const open = await holds.listOpen({ ...below, account, limit: MAX_OPEN_HOLDS })
    return {
      identifier,
      currency,
      capMinor: use?.capMinor,
      ...(await holds.sumBelow(below, clock.now())),
      openHolds: open.map(toOpenHold),
    }
  })
}
