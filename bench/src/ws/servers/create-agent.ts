// A Deputy agent as it runs in production: scopes, rate limit, revocation view, call log; its issuer's documents come
// from a file.
import {
  createAccessTokenVerifier,
  createAuthenticator,
  createMemoryRateLimiter,
  createRemoteSigningKeySource,
  createRevocationCheck,
  createRevocationView,
  createVerifiedTokenCache,
} from '../../../../packages/auth/src/index.ts'
import { refuse, systemClock } from '../../../../packages/auth/src/protocol/index.ts'
import { createLogger, serveAgent } from '../../../../packages/serve/src/index.ts'
import { AGENT_ID, ISSUER } from '../../calls/scenario.ts'
import { answerMemory } from './memory.ts'

export type BenchAgentOptions = Pick<Parameters<typeof serveAgent>[0], 'port' | 'router'> & {
  /** What its issuer publishes, as JSON. */
  readonly jwks: string
}

/** Serves the router. Beside it, `/memory` says what the process takes up. */
export async function serveBenchAgent({ jwks, port, router }: BenchAgentOptions): Promise<void> {
  const keys = createRemoteSigningKeySource(ISSUER, {
    fetch: async (url) =>
      url === `${ISSUER}/jwks`
        ? new Response(jwks)
        : Response.json({
            issuer: ISSUER,
            token_endpoint: `${ISSUER}/token`,
            jwks_uri: `${ISSUER}/jwks`,
            response_types_supported: [],
          }),
  })
  const view = createRevocationView({ clock: systemClock })
  view.heard()
  await serveAgent({
    agentId: AGENT_ID,
    issuer: ISSUER,
    port,
    router,
    authenticator: createAuthenticator({
      accessTokens: createVerifiedTokenCache(
        createAccessTokenVerifier({ issuer: ISSUER, audience: AGENT_ID, keys }),
        { keys },
      ),
      revocations: createRevocationCheck({
        view,
        clock: systemClock,
        introspect: async () =>
          refuse({ reason: 'verifier_unavailable', detail: 'nobody is asked' }),
        maxStalenessSeconds: 3600,
      }),
    }),
    rateLimiter: createMemoryRateLimiter(),
    rateLimitTiers: { standard: { burst: 1_000_000, perMinute: 60_000_000 } },
    // As many as one connection can send, for as long as the bench runs.
    limits: { webSocket: { maxMessagesPerSecond: 1_000_000 } },
    fallback: answerMemory,
    logger: createLogger({ name: AGENT_ID }),
  })
}
