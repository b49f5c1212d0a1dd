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

  return {
    balance: async ({ principal }, { currency }) =>
      storage.read(async ({ ledger }) => readBalance(ledger, holderOf(principal), currency)),
    quote: async (call, input) => makeQuote(deps, call, input),
    hold: async (call, input) => placeHold(deps, call, input),
    capture: async (call, input) => captureHold(deps, call, input),
    release: async (call, input) => releaseHold(deps, call, input),
    refund: async (call, input) => refundCapture(deps, call, input),
    deposit: async (call, input) => deposit(deps, call, input),
    prices: async () => listPrices(deps),
    publishPrices: async (call, input) => publishPrices(deps, call, input),
    closeStatement: async (call, input) => closeStatement(deps, call, input),
    statements: async (call, input) => listStatements(deps, call, input),
    invoice: async (call, input) => readInvoice(deps, call, input),
    trialBalance: async (call, input) => readTrialBalance(deps, call, input),
    verify: async ({ principal }, input) => {
      if (ownerOf(principal) !== SYSTEM_OWNER_ID) {
        throw refuseCall('owner_unknown', 'The book as a whole belongs to whoever runs the system')
      }
      return verifyLedger(storage, input)
    },
    exportJournal: async (call, input) => exportJournal(deps, call, input),
    budget: async (call, input) => readBudget(deps, call, input),
    releaseGrant: async (call, input) => releaseGrant(deps, call, input),
    revertActor: async (call, input) => revertActor(deps, call, input),
    quotas: {
      set: async (call, input) => setQuota(deps, call, input),
      get: async (call, input) => getQuota(deps, call, input),
      list: async (call, input) => listQuotas(deps, call, input),
      events: async (call, input) => listQuotaEvents(deps, call, input),
      watch: (call, input) => watchQuotas(storage, call, input),
    },
    usage: {
      record: async (call, input) => recordUsage(deps, call, input),
      report: async (call, input) => reportUsage(deps, call, input),
      events: async (call, input) => listUsageEvents(deps, call, input),
      meters: async () => listMeters(deps),
      defineMeter: async (call, input) => defineMeter(deps, call, input),
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
  return {
    account: holder.agentId,
    currency,
    availableMinor: await ledger.balanceOf(availableAccount(holder), currency),
    heldMinor: await ledger.balanceOf(heldAccount(holder), currency),
  }
}
