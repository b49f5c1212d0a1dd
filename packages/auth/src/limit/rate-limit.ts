// How many calls one caller may make: a token bucket for each, whose size is the burst and which fills
// at the sustained rate. A tier is a named pair of the two.
import * as z from 'zod'
import type { Result } from '../protocol/index.ts'

/** A tier: `burst` calls at once, `perMinute` in the long run. */
export const RateLimitTier = z.object({
  burst: z.int().min(1).max(1_000_000),
  perMinute: z.number().positive().max(60_000_000),
})
export type RateLimitTier = z.infer<typeof RateLimitTier>

/** Tiers by name. `null` is no limit. The name `standard` is the one of callers that have none. */
export const RateLimitTiers = z
  .record(z.string(), RateLimitTier.nullable())
  .refine((tiers) => Object.hasOwn(tiers, 'standard'), 'must have a tier named standard')
export type RateLimitTiers = z.infer<typeof RateLimitTiers>

/** The tier of a caller whose credential names none, or one that is not known here. */
export const DEFAULT_TIER = 'standard'

/** Tiers unless the operator names others. */
export const DEFAULT_RATE_LIMIT_TIERS: RateLimitTiers = Object.freeze({
  low: { burst: 100, perMinute: 600 },
  standard: { burst: 1000, perMinute: 6000 },
  high: { burst: 10_000, perMinute: 60_000 },
  unlimited: null,
})

/** What is left of a caller's bucket. */
export type RateLimitState = {
  /** Name of the tier. */
  readonly tier: string
  readonly burst: number
  readonly perMinute: number
  /** Whole calls left. */
  readonly remaining: number
  /** Until the bucket is full again. */
  readonly resetSeconds: number
}

/** A caller made too many calls. */
export type RateLimitRefusal = {
  readonly reason: 'rate_limited'
  readonly retryAfterSeconds: number
  readonly state: RateLimitState
}

export type RateLimitRequest = {
  /** Whose bucket it is. Kept as it is: never a secret. */
  readonly key: string
  /** Name of the tier, for the caller. */
  readonly tier: string
  readonly limit: RateLimitTier
}

/** Takes one call out of a bucket. Never rejects: what happens when a shared store is gone is the adapter's choice. */
export type RateLimiter = {
  consume(request: RateLimitRequest): Promise<Result<RateLimitState, RateLimitRefusal>>
}
