// Rate limits at the OAuth endpoints: each agent by its tier, and whoever fails to authenticate again
// and again. A good credential is never refused for what others did in its name or from its address.
import {
  createFailureGuard,
  createLimitCaller,
  formatRateLimitHeaders,
  type RateLimiter,
  type RateLimitRefusal,
  type RateLimitTiers,
} from '@deputy/auth'
import type { Clock } from '@deputy/auth/protocol'
import { OAuthError } from '../oauth-error.ts'
import type { AuthenticateClient, AuthenticationRequest } from './client-authentication.ts'

export type LimitedAuthenticationOptions = {
  readonly authenticateClient: AuthenticateClient
  readonly limiter: RateLimiter
  readonly tiers?: RateLimitTiers | undefined
  readonly clock: Clock
}

/** Once a minute, the same refusal is on the audit trail: a flood must not become a flood of entries. */
const AUDIT_EVERY_SECONDS = 60

/** Whose refusals are remembered at most. */
const MAX_REMEMBERED = 10_000

/** Wraps the authentication of clients. Rejects with 429 as well. */
export function createLimitedAuthentication(
  options: LimitedAuthenticationOptions,
): AuthenticateClient {
  const { authenticateClient, clock, limiter, tiers } = options
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

  async function authenticate(request: AuthenticationRequest) {
    let clientId: string | undefined
    const trail: AuthenticationRequest['trail'] = {
      note(known) {
        clientId = known.actorId ?? clientId
        request.trail.note(known)
      },
    }
    try {
      return await authenticateClient({ ...request, trail })
    } catch (error) {
      if (!(error instanceof OAuthError) || error.code !== 'invalid_client') throw error
      const address = request.remoteAddress
      const refusal = await guard({ clientId, address })
      throw refusal === undefined ? error : tooMany(refusal, `${address} ${clientId ?? ''}`)
    }
  }

  return async (request) => {
    const client = await authenticate(request)
    if (request.isCounted === true) return client
    const { id: agentId, rateLimitTier } = client.agent
    const counted = await limitCaller({ agentId, rateLimitTier })
    if (!counted.ok) throw tooMany(counted.refusal, agentId)
    return { ...client, rateLimit: counted.value }
  }
}
