// What the billing agent promises. Every account belongs to an agent: a call reads and moves only the
// account of its own subject (`sub`), except `deposit`,
// `closeStatement`, `trialBalance` and `releaseGrant`, which are the operator's.
import { AgentId } from '@deputy/auth/protocol'
import { agentRouter, createAgentContract, scopedProcedure } from '@deputy/auth/trpc'
import * as z from 'zod'
import { CallRecord, toCall, type Call } from './call.ts'
import { IdempotencyKey } from './idempotency-key.ts'
import { Money } from './money.ts'

/** The billing agent's id: the audience of tokens for it. */
export const BILLING_AGENT_ID = 'agent-billing-v2'

const Id = z.string().min(1).max(64)

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

export const QuoteInput = z.object({
  service: z.literal('research.brief'),
  units: z.int().min(1).max(1000).describe('cited sentences at most'),
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
  amount: Money.extend({ amountMinor: Money.shape.amountMinor.min(1) }),
  idempotencyKey: IdempotencyKey,
})
export type DepositInput = z.infer<typeof DepositInput>

export const CloseStatementInput = z.object({
  account: AgentId,
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

/** All captures of an account since its last statement, each one backed by evidence. */
export const Statement = z.object({
  statementId: Id,
  account: AgentId,
  currency: z.string(),
  lines: z.array(StatementLine),
  totalMinor: z.int(),
  closedAt: z.int(),
  calls: z.array(CallRecord).describe('the calls that billing made to gather the evidence'),
})
export type Statement = z.infer<typeof Statement>

export const TrialBalanceInput = z
  .object({ currency: Money.shape.currency.default('USD') })
  .prefault({})
export type TrialBalanceInput = z.infer<typeof TrialBalanceInput>

/** Every account of the ledger that has entries, by name, and their sum: zero unless the ledger is broken. */
export const TrialBalance = z.object({
  currency: z.string(),
  accounts: z.array(z.object({ account: z.string(), balanceMinor: z.int() })),
  totalMinor: z.int(),
})
export type TrialBalance = z.infer<typeof TrialBalance>

const GrantId = z.string().min(1).max(64)

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

/** The port that the billing agent implements. Refusals of its domain are thrown as `CallRefusal`. */
export type BillingService = {
  balance(call: Call, input: BalanceInput): Promise<Balance>
  quote(call: Call, input: QuoteInput): Promise<Quote>
  hold(call: Call, input: HoldInput): Promise<Hold>
  capture(call: Call, input: CaptureInput): Promise<Hold>
  release(call: Call, input: ReleaseInput): Promise<Hold>
  deposit(call: Call, input: DepositInput): Promise<Balance>
  closeStatement(call: Call, input: CloseStatementInput): Promise<Statement>
  trialBalance(call: Call, input: TrialBalanceInput): Promise<TrialBalance>
  budget(call: Call, input: BudgetInput): Promise<BudgetReport>
  releaseGrant(call: Call, input: ReleaseGrantInput): Promise<ReleasedGrant>
}

/** Why billing turns a call down: `data.reason` beside the reasons that every agent has. */
export const BILLING_REASONS = [
  'account_unknown',
  'budget_currency',
  'budget_exceeded',
  'capture_exceeds_hold',
  'evidence_mismatch',
  'evidence_unavailable',
  'hold_captured',
  'hold_expired',
  'hold_released',
  'hold_unknown',
  'idempotency_conflict',
  'insufficient_funds',
  'quote_expired',
  'quote_unknown',
  'quote_used',
] as const
export type BillingReason = (typeof BILLING_REASONS)[number]

/**
 * A hold counts against every budget of its token; what else declares it holds and spends nothing more.
 * `deposit` does not: whoever works within a budget makes no money.
 */
const BUDGET = ['budget'] as const

/** Creates the router over an implementation of the port. */
export function createBillingRouter(service: BillingService) {
  return agentRouter({
    billing: agentRouter({
      balance: scopedProcedure({ scopes: ['billing:read'], limits: BUDGET })
        .input(BalanceInput)
        .output(Balance)
        .query(async ({ ctx, input }) => service.balance(toCall(ctx), input)),
      quote: scopedProcedure({ scopes: ['billing:write'], limits: BUDGET })
        .input(QuoteInput)
        .output(Quote)
        .mutation(async ({ ctx, input }) => service.quote(toCall(ctx), input)),
      hold: scopedProcedure({ scopes: ['billing:write'], limits: BUDGET })
        .input(HoldInput)
        .output(Hold)
        .mutation(async ({ ctx, input }) => service.hold(toCall(ctx), input)),
      capture: scopedProcedure({ scopes: ['billing:write'], limits: BUDGET })
        .input(CaptureInput)
        .output(Hold)
        .mutation(async ({ ctx, input }) => service.capture(toCall(ctx), input)),
      release: scopedProcedure({ scopes: ['billing:write'], limits: BUDGET })
        .input(ReleaseInput)
        .output(Hold)
        .mutation(async ({ ctx, input }) => service.release(toCall(ctx), input)),
      deposit: scopedProcedure('billing:deposit')
        .input(DepositInput)
        .output(Balance)
        .mutation(async ({ ctx, input }) => service.deposit(toCall(ctx), input)),
      closeStatement: scopedProcedure({ scopes: ['billing:close'], limits: BUDGET })
        .input(CloseStatementInput)
        .output(Statement)
        .mutation(async ({ ctx, input }) => service.closeStatement(toCall(ctx), input)),
      trialBalance: scopedProcedure({ scopes: ['billing:audit'], limits: BUDGET })
        .input(TrialBalanceInput)
        .output(TrialBalance)
        .query(async ({ ctx, input }) => service.trialBalance(toCall(ctx), input)),
      budget: scopedProcedure({ scopes: ['billing:read'], limits: BUDGET })
        .input(BudgetInput)
        .output(BudgetReport)
        .query(async ({ ctx, input }) => service.budget(toCall(ctx), input)),
      releaseGrant: scopedProcedure({ scopes: ['billing:release'], limits: BUDGET })
        .input(ReleaseGrantInput)
        .output(ReleasedGrant)
        .mutation(async ({ ctx, input }) => service.releaseGrant(toCall(ctx), input)),
    }),
  })
}

/** What callers import, as a type. */
export type BillingRouter = ReturnType<typeof createBillingRouter>

/** The contract as a value: who billing is, and what each procedure needs. */
export const billing = createAgentContract(BILLING_AGENT_ID, createBillingRouter)
