// The only place that picks adapters.
import type { Clock } from '@deputy/auth/protocol'
import { createLimitUse, openDatabase, type DatabaseLocation, type LimitUse } from '@deputy/storage'
import { sql, type Kysely } from 'kysely'
import type { BudgetStore } from '../budgets/budget-store.ts'
import type { HoldStore } from '../holds/hold-store.ts'
import type { AnswerStore } from '../idempotency/answer-store.ts'
import type { LedgerStore } from '../ledger/ledger-store.ts'
import type { LevelStore } from '../metrics/level-store.ts'
import type { ActorPostings } from '../revert/actor-postings.ts'
import type { LedgerAudit } from '../verify/ledger-audit.ts'
import type { PriceBookStore } from '../prices/price-book.ts'
import type { RefundStore } from '../refunds/refund-store.ts'
import type { QuoteStore } from '../quotes/quote-store.ts'
import type { QuotaStore } from '../quotas/quota-store.ts'
import type { StatementStore } from '../statements/statement-store.ts'
import type { UsageStore } from '../usage/usage-store.ts'
import { createKyselyActorPostings } from './actor-postings.ts'
import { createKyselyAnswerStore } from './answer-store.ts'
import { createKyselyBudgetStore } from './budget-store.ts'
import { createKyselyHoldStore } from './hold-store.ts'
import { createKyselyLedgerAudit } from './ledger-audit.ts'
import { createKyselyPriceBookStore } from './price-book-store.ts'
import { createKyselyRefundStore } from './refund-store.ts'
import { createKyselyLedgerStore } from './ledger-store.ts'
import { createKyselyLevelStore } from './level-store.ts'
import { createCommitMarks, type WorkMarks } from './work-marks.ts'
import { migrations } from './migrations.ts'
import { createKyselyQuotaStore } from './quota-store.ts'
import { createKyselyQuoteStore } from './quote-store.ts'
import { createKyselyStatementStore } from './statement-store.ts'
import type { Tables } from './tables.ts'
import { createKyselyUsageStore } from './usage-store.ts'

/** Everything that billing keeps, inside one transaction. */
export type BillingTransaction = {
  readonly ledger: LedgerStore
  readonly audit: LedgerAudit
  readonly actorPostings: ActorPostings
  readonly quotes: QuoteStore
  readonly prices: PriceBookStore
  readonly holds: HoldStore
  readonly refunds: RefundStore
  readonly budgets: BudgetStore
  readonly answers: AnswerStore
  readonly statements: StatementStore
  readonly quotas: QuotaStore
  readonly usage: UsageStore
  readonly levels: LevelStore
}

export type BillingStorage = AsyncDisposable & {
  /** Runs the work in a transaction: all of it is on disk when this resolves, or none of it happened. */
  transaction<Value>(work: (transaction: BillingTransaction) => Promise<Value>): Promise<Value>
  /** Reads what is committed, each query for itself. Never writes. */
  read<Value>(work: (stores: BillingTransaction) => Promise<Value>): Promise<Value>
  /** Calls back when this process has committed an event of a quota, until the function that it returns is called. */
  onQuotaEvent(listener: () => void): () => void
  /** Opens the account of what callers used of the limits of their tokens. */
  createLimitUse(clock: Clock): LimitUse
  close(): Promise<void>
}

/** Opens the SQLite file (`:memory:` is one) or the PostgreSQL database. Rejects with `DatabaseOpenError`. */
export async function openStorage(location: DatabaseLocation): Promise<BillingStorage> {
  const database = await openDatabase<Tables>({ ...location, migrations })
  const close = async (): Promise<void> => database.close()
  const lock = createWriterLock(database.dialect)
  const marks = createCommitMarks()
  const readStores = createStores(database.db, marks.begin())
  return {
    async transaction(work) {
      const mark = marks.begin()
      const value = await database.commit(async (transaction) => {
        await lock.take(transaction)
        try {
          return await work(createStores(transaction, mark))
        } catch (error) {
          lock.forget(transaction)
          throw error
        }
      })
      mark.commit()
      return value
    },
    read: async (work) => work(readStores),
    onQuotaEvent: (listener) => marks.onQuotaEvent(listener),
    createLimitUse: (clock) => createLimitUse({ database, clock }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Any number, as long as every process takes the same. */
const WRITER_LOCK_ID = 0x6c65_6467_6572

/**
 * One writer at a time, on PostgreSQL as on SQLite: what a work has read stays true until its commit, and no
 * two wait for each other. The lock ends with the transaction, or with the work that took it and was undone.
 */
function createWriterLock(dialect: 'sqlite' | 'postgres') {
  const held = new WeakSet<Kysely<Tables>>()
  return {
    async take(transaction: Kysely<Tables>): Promise<void> {
      if (dialect === 'sqlite' || held.has(transaction)) return
      await sql`select pg_advisory_xact_lock(${WRITER_LOCK_ID})`.execute(transaction)
      held.add(transaction)
    },
    forget: (transaction: Kysely<Tables>) => held.delete(transaction),
  }
}

function createStores(db: Kysely<Tables>, marks: WorkMarks): BillingTransaction {
  return {
    ledger: createKyselyLedgerStore(db, marks),
    audit: createKyselyLedgerAudit(db),
    actorPostings: createKyselyActorPostings(db),
    quotes: createKyselyQuoteStore(db),
    prices: createKyselyPriceBookStore(db),
    holds: createKyselyHoldStore(db),
    refunds: createKyselyRefundStore(db),
    budgets: createKyselyBudgetStore(db),
    answers: createKyselyAnswerStore(db),
    statements: createKyselyStatementStore(db),
    quotas: createKyselyQuotaStore(db, marks.announce),
    usage: createKyselyUsageStore(db),
    levels: createKyselyLevelStore(db),
  }
}
