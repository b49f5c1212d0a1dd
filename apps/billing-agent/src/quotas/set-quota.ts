import { Quota, type SetQuotaInput } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { createId } from '@deputy/storage'
import { requireCurrency } from '../ledger/currency.ts'
import { operatedOwner } from '../owners/owner.ts'
import { periodOf } from '../periods/period.ts'
import { refuseCall } from '../refusals.ts'
import { provenanceOf, type ServiceDeps } from '../service-deps.ts'
import type { BillingTransaction } from '../storage/open-storage.ts'
import { announceThresholds } from './charge-quotas.ts'
import { toQuota } from './read-quotas.ts'

/**
 * `quotas.set`: a new quota, or a new cap of one. It counts from when it was first set. A cap below what is spent
 * refuses what comes, and takes nothing back.
 */
export async function setQuota(
  { clock, runOnce }: ServiceDeps,
  call: Call,
  input: SetQuotaInput,
): Promise<Quota> {
  const { principal } = call
  const { cap, enforcement, measure, period, reason, scope } = input
  const ownerId = operatedOwner(principal, input.ownerId)
  if (measure.kind === 'money') requireCurrency(measure.currency)
  const once = { principal, procedure: 'quotas.set', input, output: Quota }
  return runOnce(once, async (transaction) => {
    const { quotas } = transaction
    if (measure.kind === 'usage') await requireAdditive(transaction, measure.meter)
    const now = clock.now()
    const { quotaId, version } = await quotas.open(
      { ownerId, scope, measure, period },
      createId(now),
    )
    const next = { quotaId, version: version + 1, cap, enforcement, reason, setAt: now }
    await quotas.set({ ...next, ...provenanceOf(call) })
    const record = { ownerId, scope, measure, period, ...next }
    const { startsAt: periodStart } = periodOf(period, now)
    const { held, used } = await quotas.useOf(quotaId, periodStart, now)
    await announceThresholds(quotas, record, { call, periodStart, spent: held + used, now })
    return toQuota(quotas, record, now)
  })
}

/** What is spent must add up event by event. */
async function requireAdditive({ usage }: BillingTransaction, meter: string): Promise<void> {
  const known = await usage.findMeter(meter)
  if (known === undefined) throw refuseCall('meter_unknown', `No meter ${meter}`)
  if (known.aggregation === 'sum' || known.aggregation === 'count') return
  const message = `${meter} counts by ${known.aggregation}: what is used of it does not add up event by event`
  throw refuseCall('meter_not_additive', message)
}
