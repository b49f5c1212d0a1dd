import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Aggregation, Meter, UsageEvent, UsageLine } from '@deputy/contracts/billing'
import type { Holder } from '../owners/owner.ts'
import type { Provenance } from '../service-deps.ts'

/** An event that is to be recorded. */
export type NewUsageEvent = Omit<Provenance, 'agentId'> & {
  readonly source: string
  readonly eventId: string
  readonly holder: Holder
  readonly meter: string
  readonly quantity: number
  readonly uniqueKey: string | undefined
  readonly happenedAt: EpochSeconds
  /** The first second of its month. */
  readonly periodStart: EpochSeconds
  readonly recordedAt: EpochSeconds
  /** The sequence of the event that it corrects. */
  readonly corrects: number | undefined
  readonly reason: string | undefined
}

/** An event that was recorded, with what is known of it now. */
export type RecordedEvent = Pick<
  NewUsageEvent,
  'holder' | 'meter' | 'quantity' | 'uniqueKey' | 'happenedAt' | 'periodStart' | 'reason'
> & {
  readonly sequence: number
  /** The eventId of the event that it corrects. */
  readonly corrects: string | undefined
  /** As the latest correction says; its own where there is none. */
  readonly rightQuantity: number
}

/** What one meter measured of an account in a month. */
export type UsageMonth = {
  readonly holder: Holder
  readonly meter: string
  readonly periodStart: EpochSeconds
}

export type MeteredMonth = UsageMonth & { readonly aggregation: Aggregation }

export type MonthsPage = {
  /** Those that begin then or later. */
  readonly since: EpochSeconds
  /** Those that come after it in the list. */
  readonly after: Omit<UsageMonth, 'holder'>
  readonly limit: number
}

export type UsageSum = {
  /** Exact: it may be more than a number holds. */
  readonly quantity: bigint
  readonly events: number
  /** The latest event of the month, corrections included; 0 where there is none. */
  readonly throughSequence: number
}

/** What is on statements of a month. */
export type BilledUsage = {
  readonly totalQuantity: number
  readonly amountMinor: number
  /** Of the first time: what comes later is billed at the same price. */
  readonly baseMinor: number
  readonly unitPriceMinor: number
  readonly priceBookVersion: string
  readonly currency: string
  readonly lastClosedAt: EpochSeconds
}

/** A line of the evidence for a month. */
export type EvidenceEvent = {
  readonly sequence: number
  readonly source: string
  readonly eventId: string
  readonly quantity: number
}

export type UsageEventsQuery = {
  readonly holder: Holder
  readonly meter: string | undefined
  readonly afterSequence: number
  readonly limit: number
}

/** A line with how far it looked. */
export type UsageLineRecord = UsageLine & { readonly throughSequence: number }

/** Where metered usage is kept, final. Only for use inside a transaction, but for what reads. */
export type UsageStore = {
  findMeter(meter: string): Promise<Meter | undefined>
  listMeters(limit: number): Promise<readonly Meter[]>
  /** Answers `false`, changing nothing, when the name is taken. */
  defineMeter(meter: Meter): Promise<boolean>
  find(source: string, eventId: string): Promise<RecordedEvent | undefined>
  /** Rejects, and the transaction with it, for an event that is there already. */
  insert(event: NewUsageEvent): Promise<void>
  listEvents(query: UsageEventsQuery): Promise<readonly UsageEvent[]>
  /** Months with events that no statement has looked at, the oldest first. */
  listUnbilled(holder: Holder): Promise<readonly UsageMonth[]>
  /** Months of an account, the latest first and by meter in each, with what the meters count by. */
  listMonths(holder: Holder, page: MonthsPage): Promise<readonly MeteredMonth[]>
  sum(month: UsageMonth, aggregation: Aggregation): Promise<UsageSum>
  findBilled(month: UsageMonth): Promise<BilledUsage | undefined>
  /** Events that happened, as they are right now, in the order of recording. */
  listEvidence(
    month: UsageMonth,
    page: { readonly afterSequence: number; readonly limit: number },
  ): Promise<readonly EvidenceEvent[]>
}
