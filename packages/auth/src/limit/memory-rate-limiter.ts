import { systemClock, type Clock } from '../protocol/index.ts'
import type { RateLimiter } from './rate-limit.ts'
import { takeToken, type Bucket } from './token-bucket.ts'

/** Buckets kept at most; about 100 bytes each. */
const MAX_BUCKETS = 100_000

/**
 * Creates a limiter for one process. Its memory is bounded: of more callers than fit, the one that has
 * not called for longest is forgotten, and starts with a full bucket when it comes again.
 */
export function createMemoryRateLimiter(
  options: { readonly clock?: Clock | undefined; readonly maxBuckets?: number | undefined } = {},
): RateLimiter {
  const { clock = systemClock, maxBuckets = MAX_BUCKETS } = options
  const buckets = new Map<string, Bucket>()

  return {
    async consume(request) {
      const { bucket, decision } = takeToken(buckets.get(request.key), request, clock.now())
      // Deleted first, so that the order of the map is the order of the last calls.
      buckets.delete(request.key)
      buckets.set(request.key, bucket)
      if (buckets.size > maxBuckets) forgetOldest(buckets)
      return decision
    },
  }
}

function forgetOldest(buckets: Map<string, Bucket>): void {
  for (const key of buckets.keys()) {
    buckets.delete(key)
    return
  }
}
