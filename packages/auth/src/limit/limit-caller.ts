import { accept, type Result } from '../protocol/index.ts'
import type { Principal } from '../principal.ts'
import {
  DEFAULT_RATE_LIMIT_TIERS,
  DEFAULT_TIER,
  type RateLimiter,
  type RateLimitRefusal,
  type RateLimitState,
  type RateLimitTiers,
} from './rate-limit.ts'

/** Counts one call of an agent, by its tier. `undefined` where the tier has no limit. */
export type LimitCaller = (
  caller: Pick<Principal, 'agentId' | 'rateLimitTier'>,
) => Promise<Result<RateLimitState | undefined, RateLimitRefusal>>

export type LimitCallerOptions = {
  readonly limiter: RateLimiter
  /** Whose calls are counted: the id of the agent that is called, so that each counts its own. */
  readonly audience: string
  readonly tiers?: RateLimitTiers | undefined
}

/** Creates the counting of calls for one agent. One caller's calls never count for another. */
export function createLimitCaller(options: LimitCallerOptions): LimitCaller {
  const { audience, limiter, tiers = DEFAULT_RATE_LIMIT_TIERS } = options

  return async ({ agentId, rateLimitTier }) => {
    const named = rateLimitTier ?? DEFAULT_TIER
    const tier = Object.hasOwn(tiers, named) ? named : DEFAULT_TIER
    const limit = tiers[tier]
    if (limit === undefined || limit === null) return accept(undefined)
    return limiter.consume({ key: `call:${audience}:${agentId}`, tier, limit })
  }
}
