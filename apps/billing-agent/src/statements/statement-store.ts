import type { Statement, StatementCredit, StatementHead } from '@deputy/contracts/billing'
import type { Holder } from '../owners/owner.ts'
import type { UsageLineRecord } from '../usage/usage-store.ts'

/** A statement as it is kept: which calls were made for it is told once. */
export type StatementRecord = Omit<Statement, 'calls'>

/** One that is new: its lines of usage say how far they looked. */
export type NewStatement = Omit<StatementRecord, 'usage'> & {
  readonly usage: readonly UsageLineRecord[]
}

/** Where statements are kept. Only for use inside a transaction. */
export type StatementStore = {
  /** Rejects, and the transaction with it, when a line or a credit stands on another statement already. */
  insert(statement: NewStatement): Promise<void>
  /** The number that the next one of an organisation gets. */
  nextNumber(ownerId: string): Promise<number>
  /** What was given back to an account and is on no statement yet, oldest first. */
  listUncredited(holder: Holder, currency: string): Promise<readonly StatementCredit[]>
  /** Of one organisation, or of any where `undefined`. */
  find(ownerId: string | undefined, statementId: string): Promise<StatementRecord | undefined>
  /** The latest first; of one account, or of the organisation. */
  list(
    ownerId: string,
    query: { readonly account: string | undefined; readonly limit: number },
  ): Promise<readonly StatementHead[]>
}
