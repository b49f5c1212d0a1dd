// A Deputy agent as it runs in production: scopes, rate limit, revocation view, call log; what its issuer would say
// comes from a file or is made up.
import {
  createAccessTokenVerifier,
  createApiKeyVerifier,
  createAuthenticator,
  createMemoryRateLimiter,
  createRemoteSigningKeySource,
  createRevocationCheck,
  createRevocationView,
  createVerifiedKeyCache,
  createVerifiedTokenCache,
  type RateLimiter,
  type RevocationView,
} from '../../../../packages/auth/src/index.ts'
import { accept, refuse, systemClock } from '../../../../packages/auth/src/protocol/index.ts'
import { createLogger, serveAgent } from '../../../../packages/serve/src/index.ts'
import { readFile } from 'node:fs/promises'
import { AGENT_ID, ISSUER } from '../scenario.ts'
import { readPort, readSetting } from './settings.ts'

type ServeOptions = Parameters<typeof serveAgent>[0]

export type BenchAgentOptions = Pick<ServeOptions, 'router' | 'limits' | 'fallback'> & {
  /** Verified tokens that are remembered, at most. Default: as an agent does. */
  readonly maxTokens?: number | undefined
  /** Deny entries that the revocation view begins with, and other agents that the rate limiter has counted. Default 0. */
  readonly denied?: number | undefined
  /** In place of Deputy's own. */
  readonly authenticator?: ServeOptions['authenticator'] | undefined
}

const LIMIT = { burst: 1_000_000, perMinute: 60_000_000 }
/** How often a feed says that nothing has happened. */
const HEARTBEAT_MS = 5000

/** Serves the router on the port of the environment. */
export async function serveBenchAgent(options: BenchAgentOptions): Promise<void> {
  const { denied = 0, fallback, limits, router } = options
  const jwks = await readFile(readSetting('BENCH_JWKS_FILE'), 'utf8')
  const view = createFilledView(denied)
  const rateLimiter = createMemoryRateLimiter()
  await countOthers(rateLimiter, denied)
  await serveAgent({
    agentId: AGENT_ID,
    issuer: ISSUER,
    port: readPort(),
    router,
    authenticator: options.authenticator ?? createBenchAuthenticator(jwks, view, options),
    rateLimiter,
    rateLimitTiers: { standard: LIMIT },
    logger: createLogger({ name: AGENT_ID }),
    limits,
    fallback,
  })
}

function createBenchAuthenticator(
  jwks: string,
  view: RevocationView,
  { maxTokens }: BenchAgentOptions,
): ServeOptions['authenticator'] {
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
  const verifier = createAccessTokenVerifier({ issuer: ISSUER, audience: AGENT_ID, keys })
  return createAuthenticator({
    accessTokens: createVerifiedTokenCache(verifier, { keys, maxTokens }),
    apiKeys: createVerifiedKeyCache(
      createApiKeyVerifier({ audience: AGENT_ID, introspect: vouchForKey() }),
      { view },
    ),
    revocations: createRevocationCheck({
      view,
      clock: systemClock,
      introspect: async () => refuse({ reason: 'verifier_unavailable', detail: 'nobody is asked' }),
      maxStalenessSeconds: 3600,
    }),
  })
}

/** What an authorization server answers about a good key: each is one more agent's. */
function vouchForKey(): Parameters<typeof createApiKeyVerifier>[0]['introspect'] {
  const agents = new Map<string, string>()
  return async (key) => {
    const id = agents.get(key) ?? `agent-${String(agents.size).padStart(8, '0')}`
    agents.set(key, id)
    return accept({
      active: true,
      token_type: 'api_key',
      iss: ISSUER,
      sub: id,
      client_id: id,
      aud: AGENT_ID,
      scope: 'notes:read',
      iat: systemClock.now(),
      jti: `key-${id}`,
    })
  }
}

function createFilledView(denied: number): RevocationView {
  const view = createRevocationView({ clock: systemClock, maxEntries: denied })
  const expiresAt = systemClock.now() + 3600
  view.apply(
    Array.from({ length: denied }, (_, index) => ({
      kind: 'grant' as const,
      id: `denied-${String(index).padStart(32, '0')}`,
      expiresAt,
    })),
  )
  view.heard()
  setInterval(() => view.heard(), HEARTBEAT_MS).unref()
  return view
}

async function countOthers(rateLimiter: RateLimiter, others: number): Promise<void> {
  for (let index = 0; index < others; index += 1) {
    const key = `call:${AGENT_ID}:other-${String(index)}`
    await rateLimiter.consume({ key, tier: 'standard', limit: LIMIT })
  }
}
