import { systemClock, type Clock } from '../protocol/index.ts'
import type { RateLimiter } from './rate-limit.ts'

export type FallbackRateLimiterOptions = {
  /** Shared by all instances. May reject, unlike other limiters. */
  readonly shared: RateLimiter
  /** Counts in this process while the shared one is gone. */
  readonly local: RateLimiter
  /** Told once when the shared one goes, and once when it is back. */
  readonly onChange: (isShared: boolean, error?: unknown) => void
  readonly clock?: Clock | undefined
}

/** How long a store that failed is left alone, so that calls do not wait for it one by one. */
const RETRY_SECONDS = 1

/**
 * Creates a limiter that goes on by itself while the shared store is gone: every instance then limits
 * on its own, so a caller gets at most its limit times the number of instances. Never without a limit,
 * never an error for the caller.
 */
export function createFallbackRateLimiter(options: FallbackRateLimiterOptions): RateLimiter {
  const { clock = systemClock, local, onChange, shared } = options
  let isShared = true
  let retryAt = 0

  return {
    async consume(request) {
      if (!isShared && clock.now() < retryAt) return local.consume(request)
      try {
        const decision = await shared.consume(request)
        if (!isShared) {
          isShared = true
          onChange(true)
        }
        return decision
      } catch (error) {
        retryAt = clock.now() + RETRY_SECONDS
        if (isShared) {
          isShared = false
          onChange(false, error)
        }
        return local.consume(request)
      }
    },
  }
}
