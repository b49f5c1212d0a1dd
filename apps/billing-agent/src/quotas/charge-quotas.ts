// What is spent counts against every quota that binds who spends it, in the transaction of the posting or of the
// event: at the same time others cannot spend what is left, and what is announced was spent. It counts in the period that
// is running, whatever moment an event of usage says that it is of.
import type { EpochSeconds } from '@deputy/auth/protocol'
import type { QuotaMeasure } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { periodOf, toIsoTime, type Period } from '../periods/period.ts'
import { refuseCall } from '../refusals.ts'
import type { QuotaCharge, QuotaRecord, QuotaStore, Spender } from './quota-store.ts'

/** Percent of a cap at which an event is announced. */
export const THRESHOLDS = [80, 100] as const

export type Spending = Pick<QuotaCharge, 'sourceId' | 'amount' | 'state' | 'isBound'> & {
  readonly call: Pick<Call, 'principal' | 'traceId'>
  readonly spender: Spender
  readonly measure: QuotaMeasure
  /** The sequence of the event that is corrected, where `amount` is below zero. */
  readonly corrects?: number | undefined
  readonly now: EpochSeconds
  readonly expiresAt?: EpochSeconds | undefined
}

/**
 * Counts it. An amount below zero gives back, at the most what the event that it corrects counted for in the period that is
 * running. Throws `quota_exceeded`, upon which the transaction is undone, and what other quotas counted with it.
 */
export async function chargeQuotas(quotas: QuotaStore, spending: Spending): Promise<void> {
  const { corrects, expiresAt, isBound, measure, now, sourceId, spender, state } = spending
  if (spending.amount === 0) return
  for (const quota of await quotas.listBinding(spender, measure)) {
    const { quotaId } = quota
    await quotas.expire(quotaId, now)
    const { endsAt, startsAt: periodStart } = periodOf(quota.period, now)
    // Attack prevented: what was used in another period, or before there was a quota, taken back to make room in this one.
    const amount =
      corrects === undefined || spending.amount > 0
        ? spending.amount
        : -Math.min(-spending.amount, await quotas.countedOf(quotaId, periodStart, corrects))
    if (amount === 0) continue
    const { held, used } = await quotas.useOf(quotaId, periodStart, now)
    const spent = held + used + amount
    if (isBound && amount > 0) requireRoom(quota, { amount, spentBefore: held + used, endsAt })
    await quotas.charge({ quotaId, sourceId, periodStart, amount, state, isBound, expiresAt })
    await announceThresholds(quotas, quota, { call: spending.call, periodStart, spent, now })
  }
}

function requireRoom(
  { cap, enforcement, measure, period, quotaId, scope }: QuotaRecord,
  {
    amount,
    endsAt,
    spentBefore,
  }: Pick<Period, 'endsAt'> & { readonly amount: number; readonly spentBefore: number },
): void {
  if (cap === null || enforcement === 'report' || spentBefore + amount <= cap) return
  const unit =
    measure.kind === 'money' ? `minor units of ${measure.currency}` : `units of ${measure.meter}`
  const each = period === 'total' ? 'in all' : `a ${period}`
  const message = `The quota ${quotaId} of the ${scope.kind} is ${String(cap)} ${unit} ${each}, of which ${String(spentBefore)} are spent: ${String(amount)} more do not fit${endsAt === undefined ? '' : ` before it resets at ${toIsoTime(endsAt)}`}`
  throw refuseCall('quota_exceeded', message)
}

/** Announces each threshold that what is spent has come to; those that were announced before are kept as they are. */
export async function announceThresholds(
  quotas: QuotaStore,
  { cap, quotaId }: QuotaRecord,
  spent: {
    readonly call: Pick<Call, 'principal' | 'traceId'>
    readonly periodStart: EpochSeconds
    readonly spent: number
    readonly now: EpochSeconds
  },
): Promise<void> {
  if (cap === null || spent.spent <= 0) return
  for (const threshold of THRESHOLDS) {
    if (spent.spent * 100 < cap * threshold) continue
    const { call, now: occurredAt, periodStart } = spent
    const { principal, traceId } = call
    const event = { quotaId, periodStart, threshold, cap, spent: spent.spent, occurredAt, traceId }
    await quotas.announce({ ...event, agentId: principal.agentId })
  }
}

/** Who spends by a call: whoever acts and the one whose authority it is, below each grant of its path. */
export function spenderOf({ principal }: Pick<Call, 'principal'>, ownerId: string): Spender {
  const { agentId, grantPath, subject } = principal
  return { ownerId, agentIds: [...new Set([agentId, subject])], grantIds: grantPath }
}
