// Rate limits at the OAuth endpoints: each agent by its tier, and whoever fails to prove who it is again
// and again. A good credential is never refused for what others did in its name or from its address.
import {
  createFailureGuard,
  createLimitCaller,
  formatRateLimitHeaders,
  type Failure,
  type RateLimiter,
  type RateLimitRefusal,
  type RateLimitState,
  type RateLimitTiers,
} from '@deputy/auth'
import type { Clock } from '@deputy/auth/protocol'
import type { Client } from '../agents/agent.ts'
import { OAuthError } from '../oauth-error.ts'

export type ClientLimitsOptions = {
  readonly limiter: RateLimiter
  readonly tiers?: RateLimitTiers | undefined
  readonly clock: Clock
}

export type ClientLimits = {
  /** Counts a request of a client that proved who it is. Answers what is left; rejects with 429. */
  count(client: Pick<Client, 'id' | 'rateLimitTier'>): Promise<RateLimitState | undefined>
  /** Counts a failure to prove it. Answers what it is refused with: the error, or 429. */
  countFailure(error: OAuthError, failure: Failure): Promise<OAuthError>
}

/** Once a minute, the same refusal is on the audit trail: a flood must not become a flood of entries. */
const AUDIT_EVERY_SECONDS = 60

/** Whose refusals are remembered at most. */
const MAX_REMEMBERED = 10_000

/** Creates the limits of one server. */
export function createClientLimits(options: ClientLimitsOptions): ClientLimits {
  const { clock, limiter, tiers } = options
  const guard = createFailureGuard(limiter, 'oauth')
  const limitCaller = createLimitCaller({ limiter, audience: 'oauth', tiers })
  const auditedAt = new Map<string, number>()

  function tooMany(refusal: RateLimitRefusal, who: string): OAuthError {
    const now = clock.now()
    const isDue = now - (auditedAt.get(who) ?? 0) >= AUDIT_EVERY_SECONDS
    if (auditedAt.size >= MAX_REMEMBERED) auditedAt.clear()
    if (isDue) auditedAt.set(who, now)
    return new OAuthError({
      code: 'temporarily_unavailable',
      message: `too many requests: try again in ${String(refusal.retryAfterSeconds)} s`,
      status: 429,
      headers: {
        'retry-after': String(refusal.retryAfterSeconds),
        ...formatRateLimitHeaders([refusal.state]),
      },
      reason: 'rate_limited',
      isAudited: isDue,
    })
  }

  return {
    async count({ id: agentId, rateLimitTier }) {
      const counted = await limitCaller({ agentId, rateLimitTier })
      if (!counted.ok) throw tooMany(counted.refusal, agentId)
      return counted.value
    },
    async countFailure(error, failure) {
      const refusal = await guard(failure)
      const { address, clientId = '' } = failure
      return refusal === undefined ? error : tooMany(refusal, `${address} ${clientId}`)
    },
  }
}
