import type { EpochSeconds } from '@deputy/auth/protocol'
import type { PriceBook } from '@deputy/contracts/billing'

/** Where price books are kept, final once they are published. Only for use inside a transaction. */
export type PriceBookStore = {
  /** The one that is in force: that of the latest `effectiveAt` which has come. */
  findCurrent(now: EpochSeconds): Promise<PriceBook | undefined>
  /** By `effectiveAt`, the latest first. */
  list(limit: number): Promise<readonly PriceBook[]>
  /** Answers `false`, changing nothing, when the version is there already. */
  insert(book: PriceBook): Promise<boolean>
}
