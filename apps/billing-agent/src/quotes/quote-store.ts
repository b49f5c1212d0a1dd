import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Quote } from '@deputy/contracts/billing'
import type { Holder } from '../owners/owner.ts'

export type UnusedQuotesPage = {
  readonly afterId: string
  readonly before: EpochSeconds
  /** How many are looked at. */
  readonly limit: number
}

export type UnusedQuotes = {
  /** Those that ended before, and that no hold was placed for. */
  readonly unusedIds: readonly string[]
  /** The last one that was looked at; `undefined` where none comes after it. */
  readonly lastId: string | undefined
}

/** Where quotes are kept, each with the account that it was made for. */
export type QuoteStore = {
  insert(holder: Holder, quote: Quote): Promise<void>
  /** `undefined` for a quote of another account, as for one that does not exist. */
  find(holder: Holder, quoteId: string): Promise<Quote | undefined>
  /** Looks at the next quotes, in the order of their ids. */
  listUnused(page: UnusedQuotesPage): Promise<UnusedQuotes>
  /** Forgets those of them that no hold was placed for. Answers how many. */
  remove(quoteIds: readonly string[]): Promise<number>
}
