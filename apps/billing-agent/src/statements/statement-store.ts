import type { Statement, StatementCredit, StatementHead } from '@deputy/contracts/billing'
import type { Holder } from '../owners/owner.ts'

/** A statement as it is kept: which calls were made for it is told once. */
export type StatementRecord = Omit<Statement, 'calls'>

/** Where statements are kept. Only for use inside a transaction. */
export type StatementStore = {
  /** Rejects, and the transaction with it, when a line or a credit stands on another statement already. */
  insert(statement: StatementRecord): Promise<void>
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
