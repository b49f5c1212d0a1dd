import { fromMinorUnits, type ReachAnswer } from '@deputy/auth/protocol'
import type { ServiceDeps } from '../service-deps.ts'

/** Money that is held below grants: what the authorization server shows of a revocation before it is made. */
export async function findHeld(
  { clock, storage }: Pick<ServiceDeps, 'clock' | 'storage'>,
  grantIds: readonly string[],
): Promise<ReachAnswer['held']> {
  const sums = await storage.transaction(async ({ holds }) => holds.sumHeld(grantIds, clock.now()))
  return sums.map(({ currency, heldMinor }) => ({
    currency,
    amount: fromMinorUnits(heldMinor, currency),
  }))
}
