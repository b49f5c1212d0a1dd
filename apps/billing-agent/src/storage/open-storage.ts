// The only place that picks adapters.
import type { Clock } from '@deputy/auth/protocol'
import { createLimitUse, openDatabase, type LimitUse } from '@deputy/storage'
import type { Kysely } from 'kysely'
import type { BudgetStore } from '../budgets/budget-store.ts'
import type { HoldStore } from '../holds/hold-store.ts'
import type { AnswerStore } from '../idempotency/answer-store.ts'
import type { LedgerStore } from '../ledger/ledger-store.ts'
import type { QuoteStore } from '../quotes/quote-store.ts'
import type { StatementStore } from '../statements/statement-store.ts'
import { createKyselyAnswerStore } from './answer-store.ts'
import { createKyselyBudgetStore } from './budget-store.ts'
import { createKyselyHoldStore } from './hold-store.ts'
import { createKyselyLedgerStore } from './ledger-store.ts'
import { migrations } from './migrations.ts'
import { createKyselyQuoteStore } from './quote-store.ts'
import { createKyselyStatementStore } from './statement-store.ts'
import type { Tables } from './tables.ts'

/** Everything that billing keeps, inside one transaction. */
export type BillingTransaction = {
  readonly ledger: LedgerStore
  readonly quotes: QuoteStore
  readonly holds: HoldStore
  readonly budgets: BudgetStore
  readonly answers: AnswerStore
  readonly statements: StatementStore
}

export type BillingStorage = AsyncDisposable & {
  /** Runs the work in a transaction: all of it is on disk when this resolves, or none of it happened. */
  transaction<Value>(work: (transaction: BillingTransaction) => Promise<Value>): Promise<Value>
  /** Opens the account of what callers used of the limits of their tokens. */
  createLimitUse(clock: Clock): LimitUse
  close(): Promise<void>
}

/** Opens the SQLite file, or `:memory:`. Rejects with `DatabaseOpenError`. */
export async function openStorage(file: string): Promise<BillingStorage> {
  const database = await openDatabase<Tables>({ file, migrations })
  const close = async (): Promise<void> => database.close()
  return {
    transaction: async (work) =>
      database.db.transaction().execute(async (transaction) => work(createStores(transaction))),
    createLimitUse: (clock) => createLimitUse({ database, clock }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function createStores(db: Kysely<Tables>): BillingTransaction {
  return {
    ledger: createKyselyLedgerStore(db),
    quotes: createKyselyQuoteStore(db),
    holds: createKyselyHoldStore(db),
    budgets: createKyselyBudgetStore(db),
    answers: createKyselyAnswerStore(db),
    statements: createKyselyStatementStore(db),
  }
}
