// The arithmetic of a token bucket, for every adapter that does it in this process.
import { accept, refuse, type EpochSeconds, type Result } from '../protocol/index.ts'
import type { RateLimitRefusal, RateLimitRequest, RateLimitState } from './rate-limit.ts'

/** A bucket as it was when it was last taken from. */
export type Bucket = { readonly tokens: number; readonly at: EpochSeconds }

/** Takes one token out. Answers the bucket to keep, and what the caller is told. Pure. */
export function takeToken(
  bucket: Bucket | undefined,
  request: RateLimitRequest,
  now: EpochSeconds,
): { readonly bucket: Bucket; readonly decision: Result<RateLimitState, RateLimitRefusal> } {
  const { burst, perMinute } = request.limit
  // A clock that went back fills nothing, and takes nothing away.
  const at = Math.max(now, bucket?.at ?? now)
  const filled = bucket === undefined ? burst : bucket.tokens + ((at - bucket.at) * perMinute) / 60
  const available = Math.min(burst, filled)
  const tokens = available >= 1 ? available - 1 : available
  return {
    bucket: { tokens, at },
    decision: toDecision({ isTaken: available >= 1, tokens }, request),
  }
}

/** Says what an adapter found: `tokens` are those left. */
export function toDecision(
  { isTaken, tokens }: { readonly isTaken: boolean; readonly tokens: number },
  { limit, tier }: RateLimitRequest,
): Result<RateLimitState, RateLimitRefusal> {
  const { burst, perMinute } = limit
  const state: RateLimitState = {
    tier,
    burst,
    perMinute,
    remaining: Math.floor(tokens),
    resetSeconds: Math.ceil(((burst - tokens) * 60) / perMinute),
  }
  if (isTaken) return accept(state)
  const retryAfterSeconds = Math.max(1, Math.ceil(((1 - tokens) * 60) / perMinute))
  return refuse({ reason: 'rate_limited', retryAfterSeconds, state })
}
