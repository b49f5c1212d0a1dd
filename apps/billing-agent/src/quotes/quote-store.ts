import type { Quote } from '@deputy/contracts/billing'
import type { Holder } from '../owners/owner.ts'

/** Where quotes are kept, each with the account that it was made for. */
export type QuoteStore = {
  insert(holder: Holder, quote: Quote): Promise<void>
  /** `undefined` for a quote of another account, as for one that does not exist. */
  find(holder: Holder, quoteId: string): Promise<Quote | undefined>
}
