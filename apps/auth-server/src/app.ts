// The composition root: wires stores, keys, endpoints and the admin API into one running server.
import { createAccessTokenVerifier, createApiKeyVerifier, createAuthenticator } from '@deputy/auth'
import { accept, systemClock, type Clock, type SignatureAlgorithm } from '@deputy/auth/protocol'
import { serveAgent, type Logger, type RunningAgent } from '@deputy/serve'
import { getRequestListener } from '@hono/node-server'
import { createAdminRouter } from './admin/admin-router.ts'
import { AUTH_SERVER_ID } from './admin/admin-scopes.ts'
import { bootstrap } from './bootstrap.ts'
import { createClientAuthentication } from './clients/client-authentication.ts'
import { createIntrospectEndpoint } from './endpoints/introspect.ts'
import { createTokenEndpoint } from './endpoints/token.ts'
import { createClientCredentialsGrant } from './grants/client-credentials.ts'
import { openKeyRing } from './keys/key-ring.ts'
import { startKeyTimer } from './keys/key-timer.ts'
import { openKeySealer } from './keys/open-key-sealer.ts'
import { createRingSigningKeySource } from './keys/ring-key-source.ts'
import { createRoutes } from './routes.ts'
import { openStorage } from './storage/open-storage.ts'
import { createIntrospection } from './tokens/introspection.ts'
import { createIssueAccessToken } from './tokens/issue-access-token.ts'

export type AuthServerOptions = {
  /** The issuer's URL, as tokens and metadata carry it: where callers reach the server. */
  readonly issuer: string
  readonly host?: string | undefined
  readonly port: number
  /** SQLite file; made on the first start. */
  readonly databaseFile: string
  /** Where the first start writes the operator's credentials. */
  readonly operatorFile: string
  readonly resetOperator?: boolean | undefined
  /** Of new signing keys; a change takes effect at the next rotation. Default ES256. */
  readonly signingAlgorithm?: SignatureAlgorithm | undefined
  /** Default 30 days. */
  readonly rotateKeysEverySeconds?: number | undefined
  /** Seals the signing keys: 32 bytes in base64url. Default: a key in `<databaseFile>.key`. */
  readonly keyEncryptionKey?: string | undefined
  /** Open what was sealed under them; it is sealed anew at once. */
  readonly previousKeyEncryptionKeys?: readonly string[] | undefined
  readonly clock?: Clock | undefined
  readonly logger: Logger
}

/**
 * Starts the authorization server. Rejects with `DatabaseOpenError`, `KeySealError` or `ListenError`,
 * whose messages say what to do.
 */
export async function createAuthServer(options: AuthServerOptions): Promise<RunningAgent> {
  const { issuer, logger } = options
  const clock = options.clock ?? systemClock
  await using stack = new AsyncDisposableStack()
  const storage = stack.use(await openStorage(options.databaseFile))
  const keyRing = await openKeyRing({
    store: storage.signingKeys,
    sealer: await openKeySealer({
      encryptionKey: options.keyEncryptionKey,
      previousEncryptionKeys: options.previousKeyEncryptionKeys,
      keyFile: `${options.databaseFile}.key`,
      store: storage.signingKeys,
    }),
    clock,
    algorithm: options.signingAlgorithm,
    rotateEverySeconds: options.rotateKeysEverySeconds,
  })
  stack.use(startKeyTimer({ keyRing, logger }))
  const authenticateClient = createClientAuthentication({ ...storage, clock })
  const introspect = createIntrospection({ ...storage, issuer, keyRing, clock })
  const routes = createRoutes({
    issuer,
    keyRing,
    logger,
    token: createTokenEndpoint({
      authenticateClient,
      logger,
      clientCredentials: createClientCredentialsGrant({
        agents: storage.agents,
        issueAccessToken: createIssueAccessToken({ issuer, keyRing, clock }),
      }),
    }),
    introspect: createIntrospectEndpoint({ authenticateClient, introspect }),
  })

  const answer = getRequestListener(routes.fetch, { overrideGlobalObjects: false })
  let isReady = false
  const running = await serveAgent({
    agentId: AUTH_SERVER_ID,
    router: createAdminRouter({ storage, clock, logger }),
    authenticator: createAuthenticator({
      accessTokens: createAccessTokenVerifier({
        issuer,
        audience: AUTH_SERVER_ID,
        keys: createRingSigningKeySource(keyRing, clock),
        clock,
        clockToleranceSeconds: 0,
      }),
      apiKeys: createApiKeyVerifier({
        audience: AUTH_SERVER_ID,
        introspect: async (key) => {
          const self = await storage.agents.find(AUTH_SERVER_ID)
          return accept(self === undefined ? { active: false } : await introspect(self, key))
        },
      }),
    }),
    issuer,
    publicUrl: issuer.replace(/\/$/, ''),
    host: options.host,
    port: options.port,
    logger,
    isReady: async () => isReady,
    fallback: (req, res) => void answer(req, res),
  })
  stack.use(running)
  // Only now: a server that could not have its port must not make an operator on its way out.
  await bootstrap({
    storage,
    issuer,
    operatorFile: options.operatorFile,
    resetOperator: options.resetOperator ?? false,
    clock,
    logger,
  })
  isReady = true
  const resources = stack.move()
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => (closing ??= resources.disposeAsync())
  return { ...running, close, [Symbol.asyncDispose]: close }
}
