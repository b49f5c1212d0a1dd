// What agents ask of billing: quotes, holds, captures, budgets and the statements of it.
import { AgentId } from '@deputy/auth/protocol'
import * as z from 'zod'
import { CallRecord } from '../call.ts'
import { IdempotencyKey } from '../idempotency-key.ts'
import { Money } from '../money.ts'
import { Id, OwnerId, Service } from './identifiers.ts'
import { UsageLine } from './usage.ts'

/** What an account holds: `available` may be held, `held` is promised to open holds. */
export const Balance = z.object({
  account: AgentId,
  currency: z.string(),
  availableMinor: z.int(),
  heldMinor: z.int(),
})
export type Balance = z.infer<typeof Balance>

export const BalanceInput = z.object({ currency: Money.shape.currency.default('USD') }).prefault({})
export type BalanceInput = z.infer<typeof BalanceInput>

/** Units of one quote, at most. */
export const MAX_QUOTE_UNITS = 1000

export const QuoteInput = z.object({
  service: Service,
  units: z.int().min(1).max(MAX_QUOTE_UNITS).describe('cited sentences at most'),
  idempotencyKey: IdempotencyKey,
})
export type QuoteInput = z.infer<typeof QuoteInput>

/** A price that stands until `expiresAt` (epoch seconds): `base + units × unitPrice`. */
export const Quote = z.object({
  quoteId: Id,
  service: QuoteInput.shape.service,
  units: z.int(),
  baseMinor: z.int(),
  unitPriceMinor: z.int(),
  amount: Money,
  priceBookVersion: z.string(),
  expiresAt: z.int(),
})
export type Quote = z.infer<typeof Quote>

export const HoldInput = z.object({
  quoteId: Id,
  reference: Id.describe("the caller's name for the work, which a receipt can be asked for by"),
  idempotencyKey: IdempotencyKey,
})
export type HoldInput = z.infer<typeof HoldInput>

/** Money set aside. Ends captured or released; past `expiresAt` it can only be released. */
export const Hold = z.object({
  holdId: Id,
  quoteId: Id,
  reference: Id,
  state: z.enum(['held', 'captured', 'released']),
  amount: Money,
  capturedMinor: z.int(),
  expiresAt: z.int(),
})
export type Hold = z.infer<typeof Hold>

export const CaptureInput = z.object({
  holdId: Id,
  amountMinor: Money.shape.amountMinor.min(1),
  idempotencyKey: IdempotencyKey,
})
export type CaptureInput = z.infer<typeof CaptureInput>

export const ReleaseInput = z.object({ holdId: Id, idempotencyKey: IdempotencyKey })
export type ReleaseInput = z.infer<typeof ReleaseInput>

export const DepositInput = z.object({
  account: AgentId,
  ownerId: OwnerId,
  amount: Money.extend({ amountMinor: Money.shape.amountMinor.min(1) }),
  idempotencyKey: IdempotencyKey,
})
export type DepositInput = z.infer<typeof DepositInput>

export const CloseStatementInput = z.object({
  account: AgentId,
  ownerId: OwnerId,
  currency: Money.shape.currency.default('USD'),
  idempotencyKey: IdempotencyKey,
})
export type CloseStatementInput = z.infer<typeof CloseStatementInput>

/** One captured amount with the evidence that the work was done. */
export const StatementLine = z.object({
  holdId: Id,
  reference: Id,
  amountMinor: z.int(),
  capturedAt: z.int(),
  evidence: z.object({
    briefSha256: z.string(),
    sentences: z.int(),
    documents: z.int(),
    completedAt: z.int(),
  }),
})
export type StatementLine = z.infer<typeof StatementLine>

/** Money that was given back since the last statement. */
export const StatementCredit = z.object({
  refundId: Id,
  holdId: Id,
  amountMinor: z.int(),
  reason: z.string(),
  refundedAt: z.int(),
})
export type StatementCredit = z.infer<typeof StatementCredit>

/** All captures and usage of an account since its last statement, each backed by evidence, less what was given back. */
export const Statement = z.object({
  statementId: Id,
  number: z.int().describe('counted up in each organisation'),
  ownerId: z.string(),
  account: AgentId,
  currency: z.string(),
  lines: z.array(StatementLine),
  credits: z.array(StatementCredit),
  usage: z.array(UsageLine).default([]).describe('metered, and taken from the account with this'),
  totalMinor: z.int().describe('of the lines and the usage, less the credits'),
  closedAt: z.int(),
  calls: z.array(CallRecord).describe('the calls that billing made to gather the evidence'),
})
export type Statement = z.infer<typeof Statement>

/** A statement that was closed now: of many captures it has the oldest 500. */
export const ClosedStatement = Statement.extend({
  isComplete: z
    .boolean()
    .default(true)
    .describe('whether no capture of before is left: otherwise call again, with another key'),
})
export type ClosedStatement = z.infer<typeof ClosedStatement>

const GrantId = Id

export const BudgetInput = z.object({
  identifier: GrantId.describe('any id of the grant path of the caller; for an auditor, any id'),
  currency: Money.shape.currency.default('USD'),
})
export type BudgetInput = z.infer<typeof BudgetInput>

/** A hold that is open still. */
export const OpenHold = z.object({
  holdId: Id,
  account: AgentId,
  reference: Id,
  amount: Money,
  expiresAt: z.int(),
})
export type OpenHold = z.infer<typeof OpenHold>

/** What is held and captured below a grant, by all tokens that stand on it. */
export const BudgetReport = z.object({
  identifier: GrantId,
  currency: z.string(),
  capMinor: z.int().optional().describe('where the grant has a budget that was used'),
  heldMinor: z.int().describe('by holds that have not expired'),
  capturedMinor: z.int(),
  openHolds: z
    .array(OpenHold)
    .describe("the oldest 1,000 that are neither captured nor released: the caller's account only"),
})
export type BudgetReport = z.infer<typeof BudgetReport>

export const ReleaseGrantInput = z.object({ grantId: GrantId, idempotencyKey: IdempotencyKey })
export type ReleaseGrantInput = z.infer<typeof ReleaseGrantInput>

/** What was given back of a grant that ended. */
export const ReleasedGrant = z.object({
  grantId: GrantId,
  released: z.array(OpenHold).describe('at most 500, oldest first'),
  isComplete: z.boolean().describe('whether no hold is open any more: otherwise call again'),
})
export type ReleasedGrant = z.infer<typeof ReleasedGrant>
