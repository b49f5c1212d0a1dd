// Quotes that nobody used are forgotten. Most quotes have a hold and stay, so that what is to go is not found without looking at
// what is to stay: a round looks at so many and the next goes on there, from the beginning again after the last, so that a
// book of many millions costs a round no more than a small one.
import type { Clock } from '@deputy/auth/protocol'
import { ANSWER_TTL_SECONDS } from '../idempotency/run-once.ts'
import type { BillingStorage } from '../storage/open-storage.ts'

/** How long a quote is kept after its end: as long as the answer that told of it, so that `quote_expired` is said until then. */
export const UNUSED_QUOTE_TTL_SECONDS = ANSWER_TTL_SECONDS

/** Quotes that are looked at in one go, and forgotten in one transaction: few enough that calls do not wait for it. */
const BATCH_SIZE = 500

/** Batches of which nothing goes that a round looks at: where there is more to forget, it goes on. */
const IDLE_BATCHES = 10

/** Creates the round. It answers how many it forgot. */
export function createQuotePruning(storage: BillingStorage, clock: Clock): () => Promise<number> {
  let afterId = ''
  return async () => {
    const before = clock.now() - UNUSED_QUOTE_TTL_SECONDS
    let total = 0
    for (let idle = 0; idle < IDLE_BATCHES;) {
      const page = { afterId, before, limit: BATCH_SIZE }
      const { lastId, unusedIds } = await storage.read(async ({ quotes }) =>
        quotes.listUnused(page),
      )
      if (unusedIds.length === 0) idle += 1
      else total += await storage.transaction(async ({ quotes }) => quotes.remove(unusedIds))
      afterId = lastId ?? ''
      if (lastId === undefined) break
    }
    return total
  }
}
