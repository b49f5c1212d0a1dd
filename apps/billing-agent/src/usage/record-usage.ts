// Events of usage, each recorded once: its source and its id name it, so that whoever is not sure sends it again. What
// was recorded is never changed; a correction is an event of its own.
import type { RecordedUsage, RecordUsageInput, UsageEventInput } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { measureOperation } from '../metrics/billing-metrics.ts'
import { operatedOwner, type Holder } from '../owners/owner.ts'
import { monthOf } from '../periods/period.ts'
import { chargeQuotas, spenderOf } from '../quotas/charge-quotas.ts'
import { refuseCall } from '../refusals.ts'
import { provenanceOf, type ServiceDeps } from '../service-deps.ts'
import type { BillingTransaction } from '../storage/open-storage.ts'
import type { NewUsageEvent, RecordedEvent } from './usage-store.ts'

/** How far the clocks of agents may be apart. */
const CLOCK_SKEW_SECONDS = 300

type Work = {
  readonly transaction: BillingTransaction
  readonly call: Call
  readonly ownerId: string
  readonly now: number
}

/** `usage.record`: the source is the agent that calls, so that nobody can take another's event ids. */
export async function recordUsage(
  { clock, storage }: ServiceDeps,
  call: Call,
  { events, ownerId: asked }: RecordUsageInput,
): Promise<RecordedUsage> {
  const ownerId = operatedOwner(call.principal, asked)
  return measureOperation('usage.record', async () =>
    storage.transaction(async (transaction) => {
      const work = { transaction, call, ownerId, now: clock.now() }
      const duplicates: string[] = []
      for (const event of events) {
        const isNew =
          event.kind === 'usage' ? await recordOne(work, event) : await correctOne(work, event)
        if (!isNew) duplicates.push(event.eventId)
      }
      return { recorded: events.length - duplicates.length, duplicates }
    }),
  )
}

type UsageInput = Extract<UsageEventInput, { kind: 'usage' }>
type CorrectionInput = Extract<UsageEventInput, { kind: 'correction' }>

async function recordOne(work: Work, input: UsageInput): Promise<boolean> {
  const { call, now, ownerId, transaction } = work
  const { eventId, meter, quantity, uniqueKey } = input
  const holder = { ownerId, agentId: input.account ?? call.principal.subject }
  const known = await transaction.usage.find(call.principal.agentId, eventId)
  if (known !== undefined) {
    requireSame(eventId, known, {
      holder,
      meter,
      quantity,
      uniqueKey,
      corrects: undefined,
      reason: undefined,
      happenedAt: input.happenedAt ?? known.happenedAt,
    })
    return false
  }
  const happenedAt = input.happenedAt ?? now
  if (happenedAt > now + CLOCK_SKEW_SECONDS) {
    const message = `The event ${eventId} is of ${String(happenedAt)}, and it is ${String(now)}`
    throw refuseCall('event_in_the_future', message)
  }
  const meterKnown = await transaction.usage.findMeter(meter)
  if (meterKnown === undefined) throw refuseCall('meter_unknown', `No meter ${meter}`)
  await transaction.usage.insert({
    ...toNewEvent(work, holder),
    eventId,
    meter,
    quantity,
    uniqueKey,
    happenedAt,
    corrects: undefined,
    reason: undefined,
    periodStart: monthOf(happenedAt).startsAt,
  })
  const amount = meterKnown.aggregation === 'count' ? Math.min(quantity, 1) : quantity
  await charge(work, { holder, meter, amount, eventId })
  return true
}

async function correctOne(work: Work, input: CorrectionInput): Promise<boolean> {
  const { call, transaction } = work
  const { corrects, eventId, quantity, reason } = input
  const source = call.principal.agentId
  const known = await transaction.usage.find(source, eventId)
  const event = await transaction.usage.find(source, corrects)
  if (event === undefined || event.corrects !== undefined || !isIn(work, event.holder)) {
    throw refuseCall('event_unknown', `No event ${corrects} of ${source} to correct`)
  }
  const { happenedAt, holder, meter, periodStart, sequence, uniqueKey } = event
  if (known !== undefined) {
    const content = { holder, meter, quantity, uniqueKey, happenedAt, corrects, reason }
    requireSame(eventId, known, content)
    return false
  }
  await transaction.usage.insert({
    ...toNewEvent(work, holder),
    eventId,
    meter,
    quantity,
    uniqueKey,
    happenedAt,
    periodStart,
    reason,
    corrects: sequence,
  })
  const meterKnown = await transaction.usage.findMeter(meter)
  const difference =
    meterKnown?.aggregation === 'count'
      ? Math.min(quantity, 1) - Math.min(event.rightQuantity, 1)
      : quantity - event.rightQuantity
  await charge(work, { holder, meter, amount: difference, eventId, corrects: sequence })
  return true
}

/** Attack prevented: a source of one organisation whose ids reach into the book of another. */
const isIn = ({ ownerId }: Work, holder: Holder): boolean => holder.ownerId === ownerId

type Content = Pick<
  RecordedEvent,
  'holder' | 'meter' | 'quantity' | 'uniqueKey' | 'happenedAt' | 'corrects' | 'reason'
>

function requireSame(eventId: string, known: Content, content: Content): void {
  const toText = ({ corrects, happenedAt, holder, meter, quantity, reason, uniqueKey }: Content) =>
    JSON.stringify([
      holder.ownerId,
      holder.agentId,
      meter,
      quantity,
      uniqueKey,
      happenedAt,
      corrects,
      reason,
    ])
  if (toText(known) === toText(content)) return
  const message = `The event ${eventId} was recorded before, with another content`
  throw refuseCall('event_conflict', message)
}

function toNewEvent({ call, now }: Work, holder: Holder) {
  const { agentId: source, ...provenance } = provenanceOf(call)
  return { ...provenance, source, holder, recordedAt: now } satisfies Partial<NewUsageEvent>
}

type Charge = {
  readonly holder: Holder
  readonly meter: string
  readonly amount: number
  readonly eventId: string
  readonly corrects?: number
}

async function charge(
  { call, now, ownerId, transaction }: Work,
  { amount, corrects, eventId, holder, meter }: Charge,
): Promise<void> {
  const { agentIds, grantIds } = spenderOf(call, ownerId)
  await chargeQuotas(transaction.quotas, {
    call,
    spender: { ownerId, agentIds: [...new Set([...agentIds, holder.agentId])], grantIds },
    measure: { kind: 'usage', meter },
    sourceId: `${call.principal.agentId}/${eventId}`,
    amount,
    state: 'used',
    isBound: true,
    corrects,
    now,
  })
}
