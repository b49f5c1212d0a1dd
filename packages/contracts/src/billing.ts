// What the billing agent promises. Every account belongs to an agent: a call reads and moves only the
// account of its own subject (`sub`), except what is the operator's: `deposit`, `refund`, `closeStatement`,
// `trialBalance`, `verify`, `exportJournal`, `releaseGrant`, `revertActor`, `publishPrices`, `quotas.set` and what
// is below `usage`. Operators see the book of their own organisation (`owner_id`); those of `system` name any.
import { agentRouter, createAgentContract, scopedProcedure } from '@deputy/auth/trpc'
import { toCall, type Call } from './call.ts'
import * as books from './billing/books.ts'
import * as work from './billing/work.ts'
import { createQuotaRouter, type QuotaService } from './billing/quota-router.ts'
import { createUsageRouter, type UsageService } from './billing/usage-router.ts'

export type { QuotaService } from './billing/quota-router.ts'
export type { UsageService } from './billing/usage-router.ts'
export {
  FullQuota,
  Quota,
  QuotaEvent,
  QuotaEventPage,
  QuotaEventsInput,
  QuotaInput,
  QuotaMeasure,
  QuotaPage,
  QuotaPeriod,
  QuotaScope,
  QuotasInput,
  QuotaVersion,
  SetQuotaInput,
  WatchQuotasInput,
} from './billing/quotas.ts'
export {
  Aggregation,
  DefineMeterInput,
  Meter,
  Meters,
  MonthlyUsage,
  RecordedUsage,
  RecordUsageInput,
  UsageEvent,
  UsageEventInput,
  UsageEventPage,
  UsageEventsInput,
  UsageLine,
  UsageReport,
  UsageReportInput,
} from './billing/usage.ts'
export {
  Invoice,
  Journal,
  JournalInput,
  Price,
  PriceBook,
  PriceBooks,
  PublishPricesInput,
  Refund,
  RefundInput,
  Reversal,
  RevertActorInput,
  RevertedActor,
  StatementHead,
  StatementInput,
  Statements,
  StatementsInput,
  TrialBalance,
  TrialBalanceInput,
  Verification,
  VerifyInput,
} from './billing/books.ts'
export {
  Balance,
  BalanceInput,
  BudgetInput,
  BudgetReport,
  CaptureInput,
  ClosedStatement,
  CloseStatementInput,
  DepositInput,
  Hold,
  HoldInput,
  OpenHold,
  Quote,
  QuoteInput,
  ReleaseGrantInput,
  ReleaseInput,
  ReleasedGrant,
  Statement,
  StatementCredit,
  StatementLine,
} from './billing/work.ts'

/** The billing agent's id: the audience of tokens for it. */
export const BILLING_AGENT_ID = 'agent-billing-v2'

/** The port that the billing agent implements. Refusals of its domain are thrown as `CallRefusal`. */
export type BillingService = {
  balance(call: Call, input: work.BalanceInput): Promise<work.Balance>
  quote(call: Call, input: work.QuoteInput): Promise<work.Quote>
  hold(call: Call, input: work.HoldInput): Promise<work.Hold>
  capture(call: Call, input: work.CaptureInput): Promise<work.Hold>
  release(call: Call, input: work.ReleaseInput): Promise<work.Hold>
  deposit(call: Call, input: work.DepositInput): Promise<work.Balance>
  closeStatement(call: Call, input: work.CloseStatementInput): Promise<work.ClosedStatement>
  refund(call: Call, input: books.RefundInput): Promise<books.Refund>
  prices(call: Call): Promise<books.PriceBooks>
  publishPrices(call: Call, input: books.PublishPricesInput): Promise<books.PriceBook>
  statements(call: Call, input: books.StatementsInput): Promise<books.Statements>
  invoice(call: Call, input: books.StatementInput): Promise<books.Invoice>
  verify(call: Call, input: books.VerifyInput): Promise<books.Verification>
  exportJournal(call: Call, input: books.JournalInput): Promise<books.Journal>
  revertActor(call: Call, input: books.RevertActorInput): Promise<books.RevertedActor>
  trialBalance(call: Call, input: books.TrialBalanceInput): Promise<books.TrialBalance>
  budget(call: Call, input: work.BudgetInput): Promise<work.BudgetReport>
  releaseGrant(call: Call, input: work.ReleaseGrantInput): Promise<work.ReleasedGrant>
  readonly quotas: QuotaService
  readonly usage: UsageService
}

/** Why billing turns a call down: `data.reason` beside the reasons that every agent has. */
export const BILLING_REASONS = [
  'account_unknown',
  'budget_currency',
  'budget_exceeded',
  'capture_exceeds_hold',
  'currency_unknown',
  'deposit_out_of_range',
  'event_conflict',
  'event_in_the_future',
  'event_unknown',
  'evidence_mismatch',
  'evidence_unavailable',
  'hold_captured',
  'hold_expired',
  'hold_not_captured',
  'hold_released',
  'hold_unknown',
  'idempotency_conflict',
  'insufficient_funds',
  'meter_exists',
  'meter_not_additive',
  'meter_unknown',
  'owner_unknown',
  'price_version_exists',
  'prices_in_the_past',
  'prices_not_yours',
  'quota_exceeded',
  'quota_unknown',
  'quote_expired',
  'quote_unknown',
  'quote_used',
  'refund_exceeds_capture',
  'service_free',
  'service_unknown',
  'statement_unknown',
  'usage_out_of_range',
] as const
export type BillingReason = (typeof BILLING_REASONS)[number]

/**
 * A hold counts against every budget of its token; what else declares it holds and spends nothing more.
 * `deposit` and `closeStatement` do not: whoever works within a budget makes no money and charges nobody for usage.
 */
const BUDGET = ['budget'] as const

/** Creates the router over an implementation of the port. */
export function createBillingRouter(service: BillingService) {
  return agentRouter({
    billing: agentRouter({
      balance: scopedProcedure({ scopes: ['billing:read'], limits: BUDGET })
        .input(work.BalanceInput)
        .output(work.Balance)
        .query(async ({ ctx, input }) => service.balance(toCall(ctx), input)),
      quote: scopedProcedure({ scopes: ['billing:write'], limits: BUDGET })
        .input(work.QuoteInput)
        .output(work.Quote)
        .mutation(async ({ ctx, input }) => service.quote(toCall(ctx), input)),
      hold: scopedProcedure({ scopes: ['billing:write'], limits: BUDGET })
        .input(work.HoldInput)
        .output(work.Hold)
        .mutation(async ({ ctx, input }) => service.hold(toCall(ctx), input)),
      capture: scopedProcedure({ scopes: ['billing:write'], limits: BUDGET })
        .input(work.CaptureInput)
        .output(work.Hold)
        .mutation(async ({ ctx, input }) => service.capture(toCall(ctx), input)),
      release: scopedProcedure({ scopes: ['billing:write'], limits: BUDGET })
        .input(work.ReleaseInput)
        .output(work.Hold)
        .mutation(async ({ ctx, input }) => service.release(toCall(ctx), input)),
      deposit: scopedProcedure('billing:deposit')
        .input(work.DepositInput)
        .output(work.Balance)
        .mutation(async ({ ctx, input }) => service.deposit(toCall(ctx), input)),
      closeStatement: scopedProcedure('billing:close')
        .input(work.CloseStatementInput)
        .output(work.ClosedStatement)
        .mutation(async ({ ctx, input }) => service.closeStatement(toCall(ctx), input)),
      refund: scopedProcedure({ scopes: ['billing:refund'], limits: BUDGET })
        .input(books.RefundInput)
        .output(books.Refund)
        .mutation(async ({ ctx, input }) => service.refund(toCall(ctx), input)),
      prices: scopedProcedure({ scopes: ['billing:read'], limits: BUDGET })
        .output(books.PriceBooks)
        .query(async ({ ctx }) => service.prices(toCall(ctx))),
      publishPrices: scopedProcedure({ scopes: ['billing:prices'], limits: BUDGET })
        .input(books.PublishPricesInput)
        .output(books.PriceBook)
        .mutation(async ({ ctx, input }) => service.publishPrices(toCall(ctx), input)),
      statements: scopedProcedure({ scopes: ['billing:read'], limits: BUDGET })
        .input(books.StatementsInput)
        .output(books.Statements)
        .query(async ({ ctx, input }) => service.statements(toCall(ctx), input)),
      invoice: scopedProcedure({ scopes: ['billing:read'], limits: BUDGET })
        .input(books.StatementInput)
        .output(books.Invoice)
        .query(async ({ ctx, input }) => service.invoice(toCall(ctx), input)),
      verify: scopedProcedure({ scopes: ['billing:audit'], limits: BUDGET })
        .input(books.VerifyInput)
        .output(books.Verification)
        .query(async ({ ctx, input }) => service.verify(toCall(ctx), input)),
      exportJournal: scopedProcedure({ scopes: ['billing:audit'], limits: BUDGET })
        .input(books.JournalInput)
        .output(books.Journal)
        .query(async ({ ctx, input }) => service.exportJournal(toCall(ctx), input)),
      revertActor: scopedProcedure({ scopes: ['billing:revert'], limits: BUDGET })
        .input(books.RevertActorInput)
        .output(books.RevertedActor)
        .mutation(async ({ ctx, input }) => service.revertActor(toCall(ctx), input)),
      trialBalance: scopedProcedure({ scopes: ['billing:audit'], limits: BUDGET })
        .input(books.TrialBalanceInput)
        .output(books.TrialBalance)
        .query(async ({ ctx, input }) => service.trialBalance(toCall(ctx), input)),
      budget: scopedProcedure({ scopes: ['billing:read'], limits: BUDGET })
        .input(work.BudgetInput)
        .output(work.BudgetReport)
        .query(async ({ ctx, input }) => service.budget(toCall(ctx), input)),
      releaseGrant: scopedProcedure({ scopes: ['billing:release'], limits: BUDGET })
        .input(work.ReleaseGrantInput)
        .output(work.ReleasedGrant)
        .mutation(async ({ ctx, input }) => service.releaseGrant(toCall(ctx), input)),
    }),
    quotas: createQuotaRouter(() => service.quotas),
    usage: createUsageRouter(() => service.usage),
  })
}

/** What callers import, as a type. */
export type BillingRouter = ReturnType<typeof createBillingRouter>

/** The contract as a value: who billing is, and what each procedure needs. */
export const billing = createAgentContract(BILLING_AGENT_ID, createBillingRouter)
