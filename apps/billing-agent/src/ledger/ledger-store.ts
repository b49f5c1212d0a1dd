import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Entry } from './posting.ts'

/** A movement of money with who caused it. */
export type Posting = {
  readonly id: string
  readonly ownerId: string
  readonly procedure: string
  /** Who called, whose authority it was, and the id of the credential: never the credential. */
  readonly agentId: string
  readonly subject: string
  readonly credentialId: string
  /** Of an access token: SHA-256 of its `jti`, hexadecimal. */
  readonly tokenSha256?: string | undefined
  /** What the audit trail files the token under: the first id of its grant path below the credential. */
  readonly grantId?: string | undefined
  readonly traceId?: string | undefined
  /** The hold that is placed or ended, if any. */
  readonly holdId?: string | undefined
  /** The posting that this one takes back, or gives back from. */
  readonly refersTo?: string | undefined
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
  /** The same of two, as they stand in one moment. */
  balancesOf(
    accounts: readonly [string, string],
    currency: string,
  ): Promise<readonly [number, number]>
  /** Whether money was ever moved there. */
  hasAccount(account: string, currency: string): Promise<boolean>
  /** Every account of an organisation in a currency, by name. */
  listBalances(ownerId: string, currency: string): Promise<readonly AccountBalance[]>
  /** The posting that placed a hold, captured it or ended it otherwise. */
  findOfHold(holdId: string, procedure: string): Promise<string | undefined>
}
