// What operators and auditors ask of billing: refunds, prices, invoices and the book itself.
import { AgentId } from '@deputy/auth/protocol'
import * as z from 'zod'
import { IdempotencyKey } from '../idempotency-key.ts'
import { Money } from '../money.ts'
import { Id, Moment, OwnerId, Reason, Service } from './identifiers.ts'
import { MAX_QUOTE_UNITS, Statement } from './work.ts'

export const StatementsInput = z
  .object({
    account: AgentId.optional().describe("the caller's by default; any, for an auditor"),
    ownerId: OwnerId,
  })
  .prefault({})
export type StatementsInput = z.infer<typeof StatementsInput>

/** A statement in a list. */
export const StatementHead = Statement.pick({
  statementId: true,
  number: true,
  ownerId: true,
  account: true,
  currency: true,
  totalMinor: true,
  closedAt: true,
})
export type StatementHead = z.infer<typeof StatementHead>

export const Statements = z.object({
  statements: z.array(StatementHead).describe('the latest 100'),
})
export type Statements = z.infer<typeof Statements>

export const StatementInput = z.object({ statementId: Id })
export type StatementInput = z.infer<typeof StatementInput>

/** A statement as one sends it to a customer. */
export const Invoice = z.object({
  number: z.string(),
  statement: Statement.omit({ calls: true }),
  html: z.string().describe('a page of its own: no script, nothing from elsewhere'),
})
export type Invoice = z.infer<typeof Invoice>

export const RefundInput = z.object({
  holdId: Id,
  ownerId: OwnerId,
  amountMinor: Money.shape.amountMinor.min(1),
  reason: Reason.describe('stands on the statement'),
  idempotencyKey: IdempotencyKey,
})
export type RefundInput = z.infer<typeof RefundInput>

/** Money that was given back of a capture. */
export const Refund = z.object({
  refundId: Id,
  holdId: Id,
  account: AgentId,
  amount: Money,
  capturedMinor: z.int(),
  refundedMinor: z.int().describe('over all refunds of the capture'),
  reason: z.string(),
  createdAt: z.int(),
})
export type Refund = z.infer<typeof Refund>

/** What one service costs: `base + units × unitPrice`. */
export const Price = z.object({
  service: Service,
  baseMinor: Money.shape.amountMinor,
  unitPriceMinor: Money.shape.amountMinor.max(1_000_000_000),
  currency: Money.shape.currency,
})
export type Price = z.infer<typeof Price>

/** Prices that hold from `effectiveAt` (epoch seconds) until those of a later book do. */
export const PriceBook = z.object({
  version: Id,
  effectiveAt: z.int(),
  publishedBy: z.string(),
  prices: z.array(Price),
})
export type PriceBook = z.infer<typeof PriceBook>

/** As much as an amount may be. */
const MAX_MINOR = Money.shape.amountMinor.maxValue ?? 0

export const PublishPricesInput = z.object({
  version: PriceBook.shape.version,
  effectiveAt: Moment.optional().describe('epoch seconds, not in the past; now where left out'),
  prices: z
    .array(Price)
    .min(1)
    .max(100)
    .refine(
      (prices) => new Set(prices.map(({ service }) => service)).size === prices.length,
      'each service once',
    )
    .refine(
      (prices) =>
        prices.every((one) => one.baseMinor + MAX_QUOTE_UNITS * one.unitPriceMinor <= MAX_MINOR),
      `a quote of ${String(MAX_QUOTE_UNITS)} units would be more than an amount may be`,
    ),
  idempotencyKey: IdempotencyKey,
})
export type PublishPricesInput = z.infer<typeof PublishPricesInput>

export const PriceBooks = z.object({
  current: z.string().optional().describe('the version that is in force'),
  books: z.array(PriceBook).describe('the latest 100, those that are not in force yet included'),
})
export type PriceBooks = z.infer<typeof PriceBooks>

export const VerifyInput = z
  .object({ entries: z.enum(['all', 'new']).default('all').describe('new: since the last check') })
  .prefault({})
export type VerifyInput = z.infer<typeof VerifyInput>

/** Whether the book is sound; if not, the first thing that is broken. */
export const Verification = z.object({
  ok: z.boolean(),
  throughEntryId: z.int(),
  accountsChecked: z.int(),
  fault: z.object({ kind: z.string(), id: z.string(), detail: z.string() }).optional(),
})
export type Verification = z.infer<typeof Verification>

export const JournalInput = z
  .object({
    ownerId: OwnerId,
    cursor: z.int().min(0).default(0).describe('nextCursor of the page before'),
  })
  .prefault({})
export type JournalInput = z.infer<typeof JournalInput>

/** A page of the book as a journal of hledger: the pages in their order are one file. */
export const Journal = z.object({
  journal: z.string(),
  nextCursor: z.int().optional(),
})
export type Journal = z.infer<typeof Journal>

export const RevertActorInput = z.object({
  agentId: AgentId.describe('whose postings: the agent that acted'),
  ownerId: OwnerId,
  grantId: Id.optional().describe('only those below this grant'),
  since: Moment.default(0).describe('epoch seconds: only those from then on'),
  dryRun: z.boolean().default(true),
  idempotencyKey: IdempotencyKey,
})
export type RevertActorInput = z.infer<typeof RevertActorInput>

/** What came, or would come, of reverting one posting. */
export const Reversal = z.object({
  postingId: Id,
  procedure: z.string(),
  account: z.string(),
  amount: Money,
  outcome: z.enum(['released', 'refunded', 'taken_back', 'insufficient_funds']),
})
export type Reversal = z.infer<typeof Reversal>

export const RevertedActor = z.object({
  agentId: AgentId,
  dryRun: z.boolean(),
  reversals: z
    .array(Reversal)
    .describe('at most 500, oldest first; deposits whose money is gone last'),
  isComplete: z.boolean().describe('whether nothing is left to revert: otherwise call again'),
})
export type RevertedActor = z.infer<typeof RevertedActor>

export const TrialBalanceInput = z
  .object({ currency: Money.shape.currency.default('USD'), ownerId: OwnerId })
  .prefault({})
export type TrialBalanceInput = z.infer<typeof TrialBalanceInput>

/** Every account of an organisation, by name, added up from its entries, and their sum: zero unless the ledger is broken. */
export const TrialBalance = z.object({
  currency: z.string(),
  accounts: z.array(z.object({ account: z.string(), balanceMinor: z.int() })),
  totalMinor: z.int(),
})
export type TrialBalance = z.infer<typeof TrialBalance>
