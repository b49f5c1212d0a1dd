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

export type IdempotencyTable = {
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

export type Tables = {
  account: AccountTable
  posting: PostingTable
  posting_seal: { posting_id: string }
  entry: EntryTable
  quote: QuoteTable
  hold: HoldTable
  idempotency: IdempotencyTable
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
}
