import { createGrowingCache } from '../growing-cache.ts'
import { systemClock, type Clock } from '../protocol/index.ts'
import type { RateLimiter, RateLimitRequest } from './rate-limit.ts'
import { takeToken, type Bucket } from './token-bucket.ts'

type Place = { -readonly [Member in keyof Bucket]: Bucket[Member] }

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
  // A place for each bucket, so that a call changes what is there and leaves nothing behind.
  const places = createGrowingCache<Place>({ max: maxBuckets })

  /** Of the request before: the calls of a batch follow each other. */
  let last: { readonly request: RateLimitRequest; readonly place: Place } | undefined

  return {
    async consume(request) {
      const known = last?.request === request ? last.place : places.get(request.key)
      const { bucket, decision } = takeToken(known, request, clock.now())
      const place: Place = known ?? { ...bucket }
      if (known === undefined) places.set(request.key, place)
      place.tokens = bucket.tokens
      place.at = bucket.at
      if (last?.request !== request) last = { request, place }
      return decision
    },
  }
}
