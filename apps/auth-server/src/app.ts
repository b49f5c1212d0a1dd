// The composition root: wires stores, keys, endpoints and the admin API into one running server.
import {
  createDpopNonces,
  createDpopProofVerifier,
  type DpopNonces,
  type RateLimitTiers,
} from '@deputy/auth'
import {
  parseSecureUrl,
  SIGNING_KEYS_CHANGE_ID,
  systemClock,
  type Clock,
  type SignatureAlgorithm,
} from '@deputy/auth/protocol'
import {
  createLoggedCallerAddress,
  serveAgent,
  type AgentLimitsOptions,
  type Bind,
  type Logger,
  type RunningAgent,
} from '@deputy/serve'
import { openRateLimiter } from '@deputy/serve/redis'
import type { DatabaseLocation } from '@deputy/storage'
import { createAdminRouter } from './admin/admin-router.ts'
import { AUTH_SERVER_ID } from './admin/admin-scopes.ts'
import { createRefusalObserver } from './admin/observe-refusals.ts'
import { createRequireApproval } from './approvals/require-approval.ts'
import { boundStrangers } from './audit/bound-strangers.ts'
import { bootstrap, type OperatorFile } from './bootstrap.ts'
import { createClientMemory } from './clients/client-memory.ts'
import { startLearningSecrets } from './clients/learn-secrets.ts'
import { createClientLimits } from './clients/client-limits.ts'
import { openClientAuthentication } from './clients/open-client-authentication.ts'
import { openUseLog } from './credentials/open-use-log.ts'
import { createDpopBinding } from './dpop/dpop-binding.ts'
import { createIntrospectEndpoint } from './endpoints/introspect.ts'
import { createMetadata } from './endpoints/metadata.ts'
import { createRegisterEndpoints } from './endpoints/register.ts'
import { createRevokeEndpoint } from './endpoints/revoke.ts'
import { createReachEndpoint, createRevocationsEndpoint } from './endpoints/revocations.ts'
import { createTokenEndpoint } from './endpoints/token.ts'
import { createClientCredentialsGrant } from './grants/client-credentials.ts'
import { createTokenExchangeGrant, TOKEN_EXCHANGE_GRANT_TYPE } from './grants/token-exchange.ts'
import { startHousekeeping } from './housekeeping.ts'
import { createOAuthListener } from './http/oauth-listener.ts'
import { openKeyRing } from './keys/key-ring.ts'
import { createOwnAuthenticator } from './own-authenticator.ts'
import { createRegistration } from './registration/registration.ts'
import { describeRotation } from './keys/rotation.ts'
import { startKeyTimer } from './keys/key-timer.ts'
import { openKeySealer } from './keys/open-key-sealer.ts'
import { createRingSigningKeySource } from './keys/ring-key-source.ts'
import { openRevocationFeed } from './revocation/revocation-feed.ts'
import { noteChange } from './revocation/note-change.ts'
import { createVerifiers } from './revocation/verifiers.ts'
import { createRoutes } from './routes.ts'
import { openStorage } from './storage/open-storage.ts'
import { createIntrospection } from './tokens/introspection.ts'
import { createIssueGrantedToken } from './tokens/issue-granted-token.ts'
import { createIssuedTokenVerifier } from './tokens/verify-issued-token.ts'
import { createPrepareAccessToken } from './tokens/prepare-access-token.ts'
import { createRevocation } from './tokens/revocation.ts'

export type AuthServerOptions = {
  /**
   * The issuer's URL, as tokens and metadata carry it: where callers reach the server. https, or http on
   * this machine; it may have a path.
   */
  readonly issuer: string
  readonly host?: string | undefined
  readonly port: number
  /** In place of host and port: where connections come from, for a server without a port (tests). */
  readonly bind?: Bind | undefined
  /** A SQLite file, made on the first start, or the URL of a PostgreSQL database. */
  readonly database: DatabaseLocation
  /** Where the first start writes the operator's credentials, or who takes them in place of a file. */
  readonly operatorFile: OperatorFile
  readonly resetOperator?: boolean | undefined
  /** Whether clients may register themselves with an initial access token (RFC 7591). Default: no. */
  readonly isRegistrationOpen?: boolean | undefined
  /** Of new signing keys; a change takes effect at the next rotation. Default ES256. */
  readonly signingAlgorithm?: SignatureAlgorithm | undefined
  /** Default 30 days. */
  readonly rotateKeysEverySeconds?: number | undefined
  /** Seals the signing keys: 32 bytes in base64url. Default: a key in `<databaseFile>.key`. */
  readonly keyEncryptionKey?: string | undefined
  /** Open what was sealed under them; it is sealed anew at once. */
  readonly previousKeyEncryptionKeys?: readonly string[] | undefined
  /** Where several instances share what they count. Default: each counts for itself. */
  readonly redisUrl?: string | undefined
  readonly rateLimitTiers?: RateLimitTiers | undefined
  /** What is remembered of clients takes at most so many bytes. Default 160 MiB: about a million. */
  readonly maxClientMemoryBytes?: number | undefined
  /** What callers may take up. Default: see `AgentLimits`. */
  readonly agentLimits?: AgentLimitsOptions | undefined
  /** Whether a client's `jwks_uri` may lead into a private network. Default: no. */
  readonly allowPrivateJwksAddresses?: boolean | undefined
  /** 32 bytes in base64url, the same for all instances. Given, every DPoP proof needs a nonce. */
  readonly dpopNonceSecret?: string | undefined
  /** How many proxies in front of the server are trusted to name the caller's address. Default 0. */
  readonly trustedProxies?: number | undefined
  readonly clock?: Clock | undefined
  readonly logger: Logger
}

/**
 * Starts the authorization server. Rejects with `DatabaseOpenError`, `KeySealError` or `ListenError`,
 * whose messages say what to do, and with `TypeError` where the issuer is no secure URL.
 */
export async function createAuthServer(options: AuthServerOptions): Promise<RunningAgent> {
  const { issuer, logger } = options
  parseSecureUrl(issuer, 'issuer')
  const clock = options.clock ?? systemClock
  await using stack = new AsyncDisposableStack()
  const storage = stack.use(await openStorage(options.database, clock))
  const keyRing = await openKeyRing({
    store: storage.signingKeys,
    sealer: await openKeySealer({
      encryptionKey: options.keyEncryptionKey,
      previousEncryptionKeys: options.previousKeyEncryptionKeys,
      keyFile: toKeyFile(options.database),
      store: storage.signingKeys,
    }),
    clock,
    algorithm: options.signingAlgorithm,
    rotateEverySeconds: options.rotateKeysEverySeconds,
    commitScheduled: async (change, rotated) =>
      storage.act(async (stores, note) => {
        if (!(await change(stores.signingKeys))) return false
        note({ ...describeRotation(rotated), reason: 'scheduled' })
        await noteChange(stores, SIGNING_KEYS_CHANGE_ID, clock.now())
        return true
      }),
  })
  stack.use(startKeyTimer({ keyRing, clock, logger }))
  const keys = createRingSigningKeySource(keyRing, clock)
  const audit = boundStrangers(storage.audit, { clock })
  const { redisUrl, rateLimitTiers } = options
  const { limiter: rateLimiter } = stack.use(openRateLimiter({ redisUrl, clock, logger }))
  const credentialUses = stack.use(openUseLog({ storage, clock, logger }))
  const replayMemory = storage.createReplayMemory(clock)
  stack.use(startHousekeeping({ storage, replayMemory, clock, logger }))
  const clientLimits = createClientLimits({ limiter: rateLimiter, tiers: rateLimitTiers, clock })
  const authenticateClient = openClientAuthentication({
    credentialUses,
    issuer,
    storage,
    replayMemory,
    allowPrivateJwksAddresses: options.allowPrivateJwksAddresses,
    limits: clientLimits,
    clock,
  })
  const dpop = {
    proofs: createDpopProofVerifier({ clock, replayMemory }),
    nonces: createNonces(options.dpopNonceSecret, clock),
  }
  const introspect = createIntrospection({ ...storage, issuer, keys, credentialUses, clock })
  const verifyToken = createIssuedTokenVerifier({ issuer, keys, clock })
  const requireApproval = createRequireApproval({ storage, clock })
  const grantTypes = {
    client_credentials: createClientCredentialsGrant({ ...storage, requireApproval, clock }),
    [TOKEN_EXCHANGE_GRANT_TYPE]: createTokenExchangeGrant({
      ...storage,
      verifyToken,
      requireApproval,
      clock,
    }),
  }
  const clientMemory = createClientMemory({
    clients: storage.clients,
    versioned: storage.versionedClients,
    maxBytes: options.maxClientMemoryBytes,
  })
  const feed = await openRevocationFeed({
    revocations: storage.revocations,
    signal: storage.revocationSignal,
    clock,
    logger,
    // Another server rotated: who hears of it here asks for the keys here.
    beforeTelling: async (entries) =>
      entries.some(({ id }) => id === SIGNING_KEYS_CHANGE_ID) ? keyRing.reload() : undefined,
  })
  const verifiers = createVerifiers({ clock })
  const isRegistrationOpen = options.isRegistrationOpen ?? false
  const metadata = createMetadata({
    issuer,
    grantTypes: Object.keys(grantTypes),
    isRegistrationOpen,
  })
  const routes = createRoutes({
    metadata,
    publicKeys: () => keyRing.publicKeys(),
    token: createTokenEndpoint({
      authenticateClient,
      clientMemory,
      grantTypes,
      issueToken: createIssueGrantedToken({
        prepareAccessToken: createPrepareAccessToken({ issuer, keyRing, clock }),
        storage,
        clock,
      }),
      dpop: createDpopBinding({ issuer, ...dpop }),
      audit,
    }),
    introspect: createIntrospectEndpoint({ authenticateClient, introspect, audit }),
    revoke: createRevokeEndpoint({
      authenticateClient,
      revoke: createRevocation({ issuer, keys, storage, clock }),
      audit,
    }),
    revocations: createRevocationsEndpoint({ authenticateClient, feed, verifiers, audit }),
    reach: createReachEndpoint({ authenticateClient, verifiers, audit }),
    register: isRegistrationOpen
      ? createRegisterEndpoints({
          registration: createRegistration({ storage, clock }),
          limits: clientLimits,
          issuer,
          audit,
        })
      : undefined,
  })

  let isReady = false
  const running = await serveAgent({
    agentId: AUTH_SERVER_ID,
    router: createAdminRouter({ storage, keyRing, credentialUses, verifiers, verifyToken, clock }),
    authenticator: createOwnAuthenticator({ issuer, keys, storage, introspect, dpop, clock }),
    issuer,
    publicUrl: issuer.replace(/\/$/, ''),
    host: options.host,
    port: options.port,
    bind: options.bind,
    rateLimiter,
    rateLimitTiers,
    limits: options.agentLimits,
    observeCall: createRefusalObserver(audit, logger),
    logger,
    isReady: async () => isReady,
    trustedProxies: options.trustedProxies,
    fallback: createOAuthListener({
      routes,
      logger,
      readAddress: createLoggedCallerAddress(logger, options.trustedProxies),
    }),
  })
  stack.use(running)
  // Closed first: a drain would wait for those who follow it.
  stack.use(feed)
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
  const openReader = async () => storage.openSecretReader()
  stack.use(startLearningSecrets({ memory: clientMemory, openReader, logger }))
  const resources = stack.move()
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => (closing ??= resources.disposeAsync())
  return { ...running, close, [Symbol.asyncDispose]: close }
}

function createNonces(secret: string | undefined, clock: Clock): DpopNonces | undefined {
  if (secret === undefined) return undefined
  return createDpopNonces({ clock, secret: Buffer.from(secret, 'base64url') })
}

/** A database in memory leaves nothing behind, and neither does the key that seals what is in it. */
function toKeyFile(database: DatabaseLocation): string | undefined {
  if (!('file' in database)) return undefined
  return database.file === ':memory:' ? database.file : `${database.file}.key`
}
