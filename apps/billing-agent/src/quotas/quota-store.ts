import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Quota, QuotaEvent, QuotaMeasure, QuotaVersion } from '@deputy/contracts/billing'
import type { Provenance } from '../service-deps.ts'

/** A quota without what is spent of it. */
export type QuotaRecord = Omit<Quota, 'current'>

/** What a quota is known by: one of each in an organisation. */
export type QuotaKey = Pick<QuotaRecord, 'ownerId' | 'scope' | 'measure' | 'period'>

/** Who spends. */
export type Spender = {
  readonly ownerId: string
  /** Who acts, and as whose authority it is. */
  readonly agentIds: readonly string[]
  readonly grantIds: readonly string[]
}

/** Whose quotas are shown. */
export type QuotaViewer = {
  /** `undefined`: of every organisation. */
  readonly ownerId: string | undefined
  /** `undefined` for an auditor, who sees all; others see those that bind them by name. */
  readonly only: Omit<Spender, 'ownerId'> | undefined
}

export type QuotaUse = { readonly held: number; readonly used: number }

/** What counts against a quota. */
export type QuotaCharge = {
  readonly quotaId: string
  /** The hold, the event of usage (its source, a slash, its eventId) or the statement. */
  readonly sourceId: string
  readonly periodStart: EpochSeconds
  readonly amount: number
  /** `held` until it is captured or given back; `used` at once. */
  readonly state: 'held' | 'used'
  /** Whether the database refuses what does not fit: not for what has happened already. */
  readonly isBound: boolean
  readonly expiresAt: EpochSeconds | undefined
}

export type NewQuotaVersion = Provenance &
  Pick<QuotaVersion, 'cap' | 'enforcement' | 'reason' | 'setAt'> & {
    readonly quotaId: string
    readonly version: number
  }

export type NewQuotaEvent = Pick<
  QuotaEvent,
  'quotaId' | 'periodStart' | 'threshold' | 'cap' | 'spent' | 'occurredAt' | 'agentId' | 'traceId'
>

export type QuotaEventQuery = {
  readonly viewer: QuotaViewer
  readonly afterId: number
  readonly limit: number
}

/** Where quotas are kept. Only for use inside a transaction, but for what reads. */
export type QuotaStore = {
  /** The quota with this key, made with this id where there is none yet. */
  open(key: QuotaKey, quotaId: string): Promise<QuotaRecord>
  /** Sets a quota. Rejects, and the transaction with it, unless the version is the next one. */
  set(version: NewQuotaVersion): Promise<void>
  find(viewer: QuotaViewer, quotaId: string): Promise<QuotaRecord | undefined>
  /** By id. */
  list(
    viewer: QuotaViewer,
    page: { readonly afterId: string; readonly limit: number },
  ): Promise<readonly QuotaRecord[]>
  /** The latest first. */
  listVersions(quotaId: string, limit: number): Promise<readonly QuotaVersion[]>
  /** All that bind this spender, also those that were lifted, which count on. */
  listBinding(spender: Spender, measure: QuotaMeasure): Promise<readonly QuotaRecord[]>
  useOf(quotaId: string, periodStart: EpochSeconds, now: EpochSeconds): Promise<QuotaUse>
  /** What an event of usage and its corrections count for in a period. */
  countedOf(quotaId: string, periodStart: EpochSeconds, sequence: number): Promise<number>
  /** Gives back what holds that have expired count for. */
  expire(quotaId: string, now: EpochSeconds): Promise<void>
  /** Counts. Rejects, and the transaction with it, what is bound and does not fit. */
  charge(charge: QuotaCharge): Promise<void>
  /** Counts what was captured. Answers `false`, changing nothing, when the hold was given back before. */
  capture(holdId: string, used: number): Promise<boolean>
  giveBack(holdId: string): Promise<void>
  /** Keeps an event, once for each period and threshold. */
  announce(event: NewQuotaEvent): Promise<void>
  /** In the order in which they were announced. */
  listEvents(query: QuotaEventQuery): Promise<readonly QuotaEvent[]>
  /** 0 before the first. */
  newestEventId(): Promise<number>
}
