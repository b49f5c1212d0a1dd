import type { Quote } from '@deputy/contracts/billing'

/** Where quotes are kept, each with the account that it was made for. */
export type QuoteStore = {
  insert(account: string, quote: Quote): Promise<void>
  /** `undefined` for a quote of another account, as for one that does not exist. */
  find(account: string, quoteId: string): Promise<Quote | undefined>
}
