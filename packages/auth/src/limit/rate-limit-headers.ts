import type { RateLimitState } from './rate-limit.ts'

/**
 * Writes the `RateLimit-Policy` and `RateLimit` fields (draft-ietf-httpapi-ratelimit-headers-10): the
 * quota `q` and the window `w` in which it fills again, what remains `r` and the seconds `t` until it
 * is full. Of several states, as in a batch, the one with the least left.
 */
export function formatRateLimitHeaders(states: readonly RateLimitState[]): Record<string, string> {
  let state = states[0]
  if (state === undefined) return {}
  for (const other of states) if (other.remaining < state.remaining) state = other
  const { burst, perMinute, remaining, resetSeconds, tier } = state
  const name = JSON.stringify(tier)
  const windowSeconds = Math.ceil((burst * 60) / perMinute)
  return {
    'ratelimit-policy': `${name};q=${String(burst)};w=${String(windowSeconds)}`,
    ratelimit: `${name};r=${String(remaining)};t=${String(resetSeconds)}`,
  }
}
