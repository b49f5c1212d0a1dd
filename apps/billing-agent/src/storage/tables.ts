// The tables as Kysely sees them. Amounts are minor units, times are epoch seconds.
import type { Generated } from 'kysely'

export type AccountTable = {
  name: string
  currency: string
  balance_minor: Generated<number>
  /** The last entry that `balance_minor` counts; 0 before the first. Set by trigger only. */
  last_entry_id: Generated<number>
  owner_id: string
  /** Digits after the point. */
  scale: number
}

export type PostingTable = {
  id: string
  procedure: string
  agent_id: string
  subject: string
  credential_id: string
  created_at: number
  owner_id: string
  grant_id: string | null
  token_sha256: string | null
  trace_id: string | null
  hold_id: string | null
  refers_to: string | null
}

export type EntryTable = {
  id: Generated<number>
  posting_id: string
  account: string
  currency: string
  amount_minor: number
}

export type QuoteTable = {
  id: string
  owner_id: string
  account: string
  service: string
  units: number
  base_minor: number
  unit_price_minor: number
  amount_minor: number
  currency: string
  price_book_version: string
  expires_at: number
}

export type HoldTable = {
  id: string
  owner_id: string
  /** 1 when it was given back because its time was over. */
  expired: Generated<number>
  quote_id: string
  account: string
  service: string
  reference: string
  state: 'held' | 'captured' | 'released'
  amount_minor: number
  captured_minor: number
  currency: string
  created_at: number
  expires_at: number
  ended_at: number | null
}

export type AnswerTable = {
  id: Generated<number>
  agent_id: string
  key: string
  procedure: string
  body_sha256: string
  answer: string
  created_at: number
}

export type StatementTable = {
  id: string
  owner_id: string
  /** Counted up in each organisation. */
  number: number
  account: string
  currency: string
  total_minor: number
  closed_at: number
}

export type StatementLineTable = {
  hold_id: string
  statement_id: string
  amount_minor: number
  evidence: string
}

export type HoldGrantTable = { grant_id: string; hold_id: string }

/** Set by trigger only, but for the cap. */
export type BudgetUseTable = {
  identifier: string
  currency: string
  owner_id: string
  cap_minor: number
  held_minor: Generated<number>
  captured_minor: Generated<number>
}

export type BudgetHoldTable = {
  hold_id: string
  identifier: string
  currency: string
  amount_minor: number
  state: 'held' | 'captured' | 'given_back'
  captured_minor: Generated<number>
  expires_at: number
}

export type RefundTable = {
  id: string
  hold_id: string
  posting_id: string
  amount_minor: number
  reason: string
  created_at: number
}

export type PriceBookTable = {
  number: Generated<number>
  version: string
  effective_at: number
  published_by: string
}

export type PriceTable = {
  version: string
  service: string
  base_minor: number
  unit_price_minor: number
  currency: string
}

export type VerifiedBalanceTable = {
  account: string
  currency: string
  balance_minor: number
  last_entry_id: number
}

/** Who did something, as a posting says it. */
type ProvenanceColumns = {
  subject: string
  credential_id: string
  token_sha256: string | null
  grant_id: string | null
  trace_id: string | null
}

export type QuotaTable = {
  id: string
  owner_id: string
  scope_kind: 'agent' | 'grant' | 'tenant'
  scope_id: string
  measure: 'money' | 'usage'
  /** A currency, or a meter. */
  unit: string
  period: 'day' | 'month' | 'year' | 'total'
  /** Set by trigger, with the next two, from the latest version. `null` once it was lifted. */
  cap: Generated<number | null>
  enforcement: Generated<'refuse' | 'report'>
  version: Generated<number>
}

export type QuotaVersionTable = ProvenanceColumns & {
  quota_id: string
  version: number
  cap: number | null
  enforcement: 'refuse' | 'report'
  reason: string
  set_at: number
  agent_id: string
}

/** Set by trigger only. */
export type QuotaUseTable = {
  quota_id: string
  period_start: number
  held: number
  used: number
}

export type QuotaChargeTable = {
  /** A hold, an event of usage, or a statement. */
  source_id: string
  quota_id: string
  period_start: number
  amount: number
  state: 'held' | 'used' | 'given_back'
  used: Generated<number>
  /** 0 for what has happened already, so that it counts and is not refused. */
  is_bound: number
  expires_at: number | null
}

export type QuotaEventTable = {
  id: Generated<number>
  quota_id: string
  period_start: number
  threshold: number
  cap: number
  spent: number
  occurred_at: number
  agent_id: string
  trace_id: string | null
}

export type MeterTable = {
  name: string
  aggregation: 'sum' | 'count' | 'unique' | 'max'
  description: string
  defined_at: number
  defined_by: string
}

export type UsageEventTable = ProvenanceColumns & {
  sequence: Generated<number>
  /** The agent that recorded it. */
  source: string
  event_id: string
  owner_id: string
  account: string
  meter: string
  quantity: number
  unique_key: string | null
  happened_at: number
  /** The first second of its month, UTC. */
  period_start: number
  recorded_at: number
  corrects: number | null
  reason: string | null
}

/** Set by trigger only. */
export type UsagePeriodTable = {
  owner_id: string
  account: string
  meter: string
  period_start: number
  last_sequence: number
}

export type StatementUsageTable = {
  statement_id: string
  owner_id: string
  account: string
  meter: string
  period_start: number
  through_sequence: number
  total_quantity: number
  quantity: number
  base_minor: number
  unit_price_minor: number
  price_book_version: string
  amount_minor: number
  is_adjustment: number
  events: number
  events_sha256: string
}

export type Tables = {
  account: AccountTable
  posting: PostingTable
  posting_seal: { posting_id: string }
  entry: EntryTable
  quote: QuoteTable
  hold: HoldTable
  answer: AnswerTable
  posting_day: { owner_id: string; agent_id: string; day: number }
  hold_grant: HoldGrantTable
  budget_use: BudgetUseTable
  budget_hold: BudgetHoldTable
  statement: StatementTable
  statement_line: StatementLineTable
  refund: RefundTable
  statement_credit: { refund_id: string; statement_id: string }
  price_book: PriceBookTable
  price: PriceTable
  verified_balance: VerifiedBalanceTable
  quota: QuotaTable
  quota_version: QuotaVersionTable
  quota_use: QuotaUseTable
  quota_charge: QuotaChargeTable
  quota_event: QuotaEventTable
  meter: MeterTable
  usage_event: UsageEventTable
  usage_period: UsagePeriodTable
  statement_usage: StatementUsageTable
}
