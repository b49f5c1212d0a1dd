// The port of the contract, implemented: each procedure is a function of its own folder.
import { systemClock, type Clock } from '@deputy/auth/protocol'
import { Balance, type BillingService, type DepositInput } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { readBudget } from './grants/read-budget.ts'
import { releaseGrant } from './grants/release-grant.ts'
import { captureHold, releaseHold } from './holds/end-hold.ts'
import { placeHold } from './holds/place-hold.ts'
import { createRunOnce } from './idempotency/run-once.ts'
import type { LedgerStore } from './ledger/ledger-store.ts'
import { availableAccount, fundingAccount, heldAccount, transfer } from './ledger/posting.ts'
import { listStatements, readInvoice } from './invoices/read-invoice.ts'
import { exportJournal } from './journal/export-journal.ts'
import { requireCurrency } from './ledger/currency.ts'
import { holderOf, operatedOwner, ownerOf, SYSTEM_OWNER_ID, type Holder } from './owners/owner.ts'
import { listPrices, publishPrices } from './prices/publish-prices.ts'
import { refundCapture } from './refunds/refund-capture.ts'
import { refuseCall } from './refusals.ts'
import { revertActor } from './revert/revert-actor.ts'
import { readTrialBalance } from './verify/trial-balance.ts'
import { verifyLedger } from './verify/verify-ledger.ts'
import { makeQuote } from './quotes/make-quote.ts'
import { getQuota, listQuotaEvents, listQuotas } from './quotas/read-quotas.ts'
import { setQuota } from './quotas/set-quota.ts'
import { watchQuotas } from './quotas/watch-quotas.ts'
import type { ReceiptSource } from './receipts/receipt-source.ts'
import { toPosting, type ServiceDeps } from './service-deps.ts'
import { closeStatement } from './statements/close-statement.ts'
import { traced } from './trace/traced.ts'
import { defineMeter, listMeters } from './usage/meters.ts'
import { listUsageEvents, reportUsage } from './usage/read-usage.ts'
import { recordUsage } from './usage/record-usage.ts'
import type { BillingStorage } from './storage/open-storage.ts'

export type BillingServiceOptions = {
  readonly storage: BillingStorage
  readonly receipts: ReceiptSource
  readonly clock?: Clock | undefined
}

/** Creates the service. */
export function createBillingService(options: BillingServiceOptions): BillingService {
  const { receipts, storage } = options
  const clock = options.clock ?? systemClock
  const deps: ServiceDeps = { storage, receipts, clock, runOnce: createRunOnce(storage, clock) }

  /** A procedure, in a span of its own. */
  const run = <Input extends unknown[], Output>(
    procedure: string,
    act: (deps: ServiceDeps, call: Call, ...input: Input) => Promise<Output>,
  ) => traced(procedure, async (call, ...input: Input) => act(deps, call, ...input))

  return {
    balance: run('billing.balance', async (_deps, { principal }, { currency }) =>
      storage.read(async ({ ledger }) => readBalance(ledger, holderOf(principal), currency)),
    ),
    quote: run('billing.quote', makeQuote),
    hold: run('billing.hold', placeHold),
    capture: run('billing.capture', captureHold),
    release: run('billing.release', releaseHold),
    refund: run('billing.refund', refundCapture),
    deposit: run('billing.deposit', deposit),
    prices: run('billing.prices', listPrices),
    publishPrices: run('billing.publishPrices', publishPrices),
    closeStatement: run('billing.closeStatement', closeStatement),
    statements: run('billing.statements', listStatements),
    invoice: run('billing.invoice', readInvoice),
    trialBalance: run('billing.trialBalance', readTrialBalance),
    verify: run('billing.verify', async (_deps, { principal }, input) => {
      if (ownerOf(principal) !== SYSTEM_OWNER_ID) {
        throw refuseCall('owner_unknown', 'The book as a whole belongs to whoever runs the system')
      }
      return verifyLedger(storage, input)
    }),
    exportJournal: run('billing.exportJournal', exportJournal),
    budget: run('billing.budget', readBudget),
    releaseGrant: run('billing.releaseGrant', releaseGrant),
    revertActor: run('billing.revertActor', revertActor),
    quotas: {
      set: run('quotas.set', setQuota),
      get: run('quotas.get', getQuota),
      list: run('quotas.list', listQuotas),
      events: run('quotas.events', listQuotaEvents),
      watch: (call, input) => watchQuotas(storage, call, input),
    },
    usage: {
      record: run('usage.record', recordUsage),
      report: run('usage.report', reportUsage),
      events: run('usage.events', listUsageEvents),
      meters: run('usage.meters', listMeters),
      defineMeter: run('usage.defineMeter', defineMeter),
    },
  }
}

async function deposit(
  { clock, runOnce }: ServiceDeps,
  call: Call,
  input: DepositInput,
): Promise<Balance> {
  const { amountMinor, currency } = input.amount
  const { principal } = call
  requireCurrency(currency)
  const ownerId = operatedOwner(principal, input.ownerId)
  const holder = { ownerId, agentId: input.account }
  const once = { principal, procedure: 'billing.deposit', input, output: Balance }
  return runOnce(once, async ({ ledger }) => {
    // No account of the book holds more than was paid in: checks of it add up what a number holds.
    const paidInMinor = -(await ledger.balanceOf(fundingAccount(ownerId), currency))
    if (paidInMinor > Number.MAX_SAFE_INTEGER - amountMinor) {
      const message = `${String(amountMinor)} more minor units of ${currency} do not fit: ${String(paidInMinor)} are in the book`
      throw refuseCall('deposit_out_of_range', message)
    }
    const entries = transfer(fundingAccount(ownerId), availableAccount(holder), amountMinor)
    const { procedure } = once
    const movement = { procedure, createdAt: clock.now(), currency, entries, ownerId }
    await ledger.post(toPosting(call, movement))
    return readBalance(ledger, holder, currency)
  })
}

async function readBalance(
  ledger: LedgerStore,
  holder: Holder,
  currency: string,
): Promise<Balance> {
  const accounts = [availableAccount(holder), heldAccount(holder)] as const
  const [availableMinor, heldMinor] = await ledger.balancesOf(accounts, currency)
  return { account: holder.agentId, currency, availableMinor, heldMinor }
}
