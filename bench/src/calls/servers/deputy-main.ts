// A Deputy agent as it runs in production: scopes, rate limit, revocation view, call log; its issuer's
// documents come from a file.
import {
  createAccessTokenVerifier,
  createAuthenticator,
  createMemoryRateLimiter,
  createRemoteSigningKeySource,
  createRevocationCheck,
  createRevocationView,
  createVerifiedTokenCache,
  type Authenticator,
  type Principal,
} from '../../../../packages/auth/src/index.ts'
import { accept, refuse, systemClock } from '../../../../packages/auth/src/protocol/index.ts'
import { agentRouter, scopedProcedure } from '../../../../packages/auth/src/trpc/index.ts'
import { createLogger, serveAgent } from '../../../../packages/serve/src/index.ts'
import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { AGENT_ID, ISSUER } from '../scenario.ts'
import { endWithParent, readPort, readSetting } from './settings.ts'

const jwks = await readFile(readSetting('BENCH_JWKS_FILE'), 'utf8')
const denied = Number(readSetting('BENCH_DENIED'))
const maxTokens = Number(readSetting('BENCH_MAX_TOKENS'))
const isOpen = readSetting('BENCH_OPEN') === 'yes'
const clock = systemClock

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
const view = createRevocationView({ clock, maxEntries: denied })
const expiresAt = clock.now() + 3600
view.apply(
  Array.from({ length: denied }, (_, index) => ({
    kind: 'grant' as const,
    id: `denied-${String(index).padStart(32, '0')}`,
    expiresAt,
  })),
)
view.heard()
const rateLimiter = createMemoryRateLimiter()
const limit = { burst: 1_000_000, perMinute: 60_000_000 }
for (let index = 0; index < denied; index += 1) {
  const key = `call:${AGENT_ID}:other-${String(index)}`
  await rateLimiter.consume({ key, tier: 'standard', limit })
}

/** Lets everybody in, for what authentication costs to be seen beside. */
const anybody: Principal = {
  agentId: 'agent-anybody',
  subject: 'agent-anybody',
  audience: AGENT_ID,
  scopes: ['notes:read'],
  priorActors: [],
  expiresAt: undefined,
  grantPath: [],
  limits: [],
  credential: { kind: 'access_token', id: 'none' },
}
const admitted = accept({
  principal: anybody,
  recheck: async () => accept(anybody),
  watch: () => () => undefined,
})
const open: Authenticator = { authenticate: async () => admitted }

await serveAgent({
  agentId: AGENT_ID,
  issuer: ISSUER,
  port: readPort(),
  router: agentRouter({
    echo: scopedProcedure('notes:read')
      .input(z.object({ text: z.string() }))
      .query(({ input }) => ({ text: input.text })),
  }),
  authenticator: isOpen
    ? open
    : createAuthenticator({
        accessTokens: createVerifiedTokenCache(verifier, { keys, maxTokens }),
        revocations: createRevocationCheck({
          view,
          clock,
          introspect: async () =>
            refuse({ reason: 'verifier_unavailable', detail: 'nobody is asked' }),
          maxStalenessSeconds: 3600,
        }),
      }),
  rateLimiter,
  rateLimitTiers: { standard: limit },
  logger: createLogger({ name: AGENT_ID }),
})
endWithParent()
