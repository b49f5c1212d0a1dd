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
import { availableAccount, FUNDING_ACCOUNT, heldAccount, transfer } from './ledger/posting.ts'
import { makeQuote } from './quotes/make-quote.ts'
import type { ReceiptSource } from './receipts/receipt-source.ts'
import { toPosting, type ServiceDeps } from './service-deps.ts'
import { closeStatement } from './statements/close-statement.ts'
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
      storage.transaction(async ({ ledger }) => readBalance(ledger, principal.subject, currency)),
    quote: async (call, input) => makeQuote(deps, call, input),
    hold: async (call, input) => placeHold(deps, call, input),
    capture: async (call, input) => captureHold(deps, call, input),
    release: async (call, input) => releaseHold(deps, call, input),
    deposit: async (call, input) => deposit(deps, call, input),
    closeStatement: async (call, input) => closeStatement(deps, call, input),
    trialBalance: async (_call, { currency }) =>
      storage.transaction(async ({ ledger }) => {
        const accounts = [...(await ledger.listBalances(currency))]
        const totalMinor = accounts.reduce((total, { balanceMinor }) => total + balanceMinor, 0)
        return { currency, accounts, totalMinor }
      }),
    budget: async (call, input) => readBudget(deps, call, input),
    releaseGrant: async (call, input) => releaseGrant(deps, call, input),
  }
}

async function deposit(
  { clock, runOnce }: ServiceDeps,
  call: Call,
  input: DepositInput,
): Promise<Balance> {
  const { account } = input
  const { amountMinor, currency } = input.amount
  const { principal } = call
  const once = { principal, procedure: 'billing.deposit', input, output: Balance }
  return runOnce(once, async ({ ledger }) => {
    const entries = transfer(FUNDING_ACCOUNT, availableAccount(account), amountMinor)
    await ledger.post(
      toPosting(call, { procedure: once.procedure, createdAt: clock.now(), currency, entries }),
    )
    return readBalance(ledger, account, currency)
  })
}

async function readBalance(
  ledger: LedgerStore,
  account: string,
  currency: string,
): Promise<Balance> {
  return {
    account,
    currency,
    availableMinor: await ledger.balanceOf(availableAccount(account), currency),
    heldMinor: await ledger.balanceOf(heldAccount(account), currency),
  }
}
