import { accept, type Result } from '../protocol/index.ts'
import type { Principal } from '../principal.ts'
import {
  DEFAULT_RATE_LIMIT_TIERS,
  DEFAULT_TIER,
  type RateLimiter,
  type RateLimitRefusal,
  type RateLimitRequest,
  type RateLimitState,
  type RateLimitTiers,
} from './rate-limit.ts'

type Caller = Pick<Principal, 'agentId' | 'rateLimitTier'>

/** Counts one call of an agent, by its tier. `undefined` where the tier has no limit. */
export type LimitCaller = (
  caller: Caller,
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
  /** Of the caller who was counted last: the calls of a batch follow each other. */
  let last: { readonly caller: Caller; readonly request: RateLimitRequest | undefined } | undefined

  function toRequest({ agentId, rateLimitTier }: Caller): RateLimitRequest | undefined {
    const named = rateLimitTier ?? DEFAULT_TIER
    const tier = Object.hasOwn(tiers, named) ? named : DEFAULT_TIER
    const limit = tiers[tier]
    if (limit === undefined || limit === null) return undefined
    return { key: `call:${audience}:${agentId}`, tier, limit }
  }

  return async (caller) => {
    if (last?.caller !== caller) last = { caller, request: toRequest(caller) }
    const { request } = last
    return request === undefined ? accept(undefined) : limiter.consume(request)
  }
}
