import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Entry } from './posting.ts'

/** A movement of money with who caused it. */
export type Posting = {
  readonly id: string
  readonly procedure: string
  /** Who called, whose authority it was, and the id of the credential: never the credential. */
  readonly agentId: string
  readonly subject: string
  readonly credentialId: string
  readonly createdAt: EpochSeconds
  readonly currency: string
  readonly entries: readonly Entry[]
}

/** What stands on an account. */
export type AccountBalance = { readonly account: string; readonly balanceMinor: number }

/** The book. Only for use inside a transaction. */
export type LedgerStore = {
  /** Writes a balanced posting. Rejects, and the transaction with it, if an agent's account would go below zero. */
  post(posting: Posting): Promise<void>
  /** 0 for an account without entries. */
  balanceOf(account: string, currency: string): Promise<number>
  /** Every account of a currency, by name. */
  listBalances(currency: string): Promise<readonly AccountBalance[]>
  /** Adds everything up again from the entries and answers what does not agree: nothing, in a sound book. */
  verify(): Promise<readonly string[]>
}
