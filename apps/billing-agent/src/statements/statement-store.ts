import type { Statement } from '@deputy/contracts/billing'

/** Where statements are kept. Only for use inside a transaction. */
export type StatementStore = {
  /** Rejects, and the transaction with it, when a line stands on another statement already. */
  insert(statement: Omit<Statement, 'calls'>): Promise<void>
}
