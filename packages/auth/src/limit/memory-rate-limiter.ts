import { createGrowingCache } from '../growing-cache.ts'
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
  // A place for each bucket, so that a call changes what is there and moves nothing.
  const places = createGrowingCache<{ bucket: Bucket }>({ max: maxBuckets })

  return {
    async consume(request) {
      const place = places.get(request.key)
      const { bucket, decision } = takeToken(place?.bucket, request, clock.now())
      if (place === undefined) places.set(request.key, { bucket })
      else place.bucket = bucket
      return decision
    },
  }
}
