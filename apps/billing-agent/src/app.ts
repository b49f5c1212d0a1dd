// The composition root: the ledger behind the contract's router, behind Deputy's guard.
import { createIssuerAuthenticator, type RateLimitTiers } from '@deputy/auth'
import { systemClock, type Clock, type CredentialsFile } from '@deputy/auth/protocol'
import { clientSecret, createActFor, createAgentClient } from '@deputy/client'
import { createBillingRouter } from '@deputy/contracts/billing'
import { research, RESEARCH_AGENT_ID } from '@deputy/contracts/research'
import {
  createFeedLog,
  serveAgent,
  startPruning,
  type AgentLimitsOptions,
  type Bind,
  type Logger,
  type RunningAgent,
} from '@deputy/serve'
import { serveMetrics } from '@deputy/serve/metrics'
import { openRateLimiter } from '@deputy/serve/redis'
import { readTraceContext } from '@deputy/serve/telemetry'
import type { DatabaseLocation } from '@deputy/storage'
import { createBillingService } from './billing-service.ts'
import { findHeld } from './grants/find-held.ts'
import { expireHolds } from './holds/expire-holds.ts'
import { pruneAnswers } from './idempotency/run-once.ts'
import { measureSweep } from './metrics/billing-metrics.ts'
import { observeLevels } from './metrics/observe-levels.ts'
import { createQuotePruning } from './quotes/prune-quotes.ts'
import { verifyLedger } from './verify/verify-ledger.ts'
import { createResearchReceiptSource, RECEIPT_SCOPE } from './receipts/research-receipt-source.ts'
import { openStorage, type BillingStorage } from './storage/open-storage.ts'

export type BillingAgentOptions = {
  /** The agent's own identity: its client id is its agent id. */
  readonly credentials: CredentialsFile
  readonly host?: string | undefined
  readonly port: number
  /** In place of host and port: where connections come from, for servers without a port (tests). */
  readonly bind?: Bind | undefined
  /** What callers reach the agent by, when that is not host and port. */
  readonly publicUrl?: string | undefined
  /** What the authorization server and other agents are reached with. Default: the global `fetch`. */
  readonly fetch?: typeof fetch | undefined
  /** The SQLite file, made on the first start, or the PostgreSQL database. */
  readonly database: DatabaseLocation
  readonly researchUrl: string
  /** Where `/metrics` is served, on this machine alone. Default: nowhere. */
  readonly metricsPort?: number | undefined
  readonly clockToleranceSeconds?: number | undefined
  /** Where several instances count the calls of their callers together. Default: each for itself. */
  readonly redisUrl?: string | undefined
  readonly rateLimitTiers?: RateLimitTiers | undefined
  /** How many proxies in front are trusted to name the caller's address. Default 0. */
  readonly trustedProxies?: number | undefined
  /** What callers may take up. Default: see `AgentLimits`. */
  readonly agentLimits?: AgentLimitsOptions | undefined
  readonly clock?: Clock | undefined
  readonly logger: Logger
}

/** Starts the billing agent. Rejects with `DatabaseOpenError` or `ListenError`, whose messages say what to do. */
export async function createBillingAgent(options: BillingAgentOptions): Promise<RunningAgent> {
  const { clock = systemClock, fetch: fetchWith, logger } = options
  const { client_id: agentId, client_secret: secret, issuer } = options.credentials
  await using stack = new AsyncDisposableStack()
  if (options.metricsPort !== undefined) {
    const { url: metricsUrl } = stack.use(await serveMetrics({ port: options.metricsPort }))
    logger.info({ url: metricsUrl }, 'serving metrics')
  }
  const storage = stack.use(await openStorage(options.database))
  const check = createLedgerCheck(storage, logger)
  stack.use(observeLevels({ storage, clock, logger, isSound: check.isSound }))
  const { researchUrl: url } = options
  const ways = { clock, fetch: fetchWith }
  const identity = { issuer, clientId: agentId, clientSecret: secret }
  const credentials = clientSecret({ ...identity, ...ways })
  const calls = { ...ways, getTraceContext: readTraceContext }
  const own = createAgentClient(research, { url, credentials, scopes: [RECEIPT_SCOPE], ...calls })
  const receipts = createResearchReceiptSource({
    own: stack.use(own),
    actFor: createActFor({ actor: credentials, agents: { [RESEARCH_AGENT_ID]: url }, ...calls }),
  })
  const service = createBillingService({ storage, receipts, clock })
  const { approvals, callCounter, prune } = storage.createLimitUse(clock)
  stack.use(startPruning({ prune, logger }))
  stack.use(
    startPruning({
      prune: async () => measureSweep('holds', async () => expireHolds(storage, clock)),
      logger,
    }),
  )
  stack.use(
    startPruning({
      prune: async () => measureSweep('answers', async () => pruneAnswers(storage, clock)),
      logger,
    }),
  )
  const pruneQuotes = createQuotePruning(storage, clock)
  stack.use(startPruning({ prune: async () => measureSweep('quotes', pruneQuotes), logger }))
  stack.use(startPruning({ prune: async () => check.run(), logger }))
  const { redisUrl, rateLimitTiers } = options
  const { limiter: rateLimiter } = stack.use(openRateLimiter({ redisUrl, clock, logger }))
  const authenticator = stack.use(
    createIssuerAuthenticator({
      issuer,
      agentId,
      clientSecret: secret,
      fetch: fetchWith,
      clockToleranceSeconds: options.clockToleranceSeconds,
      clock,
      revocation: {
        onChange: createFeedLog(logger),
        findHeld: async (grantIds) => findHeld({ storage, clock }, grantIds),
      },
    }),
  )
  const running = stack.use(
    await serveAgent({
      agentId,
      router: createBillingRouter(service),
      authenticator,
      issuer,
      host: options.host,
      port: options.port,
      bind: options.bind,
      publicUrl: options.publicUrl,
      rateLimiter,
      rateLimitTiers,
      trustedProxies: options.trustedProxies,
      limits: options.agentLimits,
      limitStores: { approvals, callCounter, clock },
      logger,
    }),
  )
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  return { ...running, close, [Symbol.asyncDispose]: close }
}

/** Checks what is new in the book. A fault is the operator's to look at: the agent goes on, and says so each minute. */
function createLedgerCheck(storage: BillingStorage, logger: Logger) {
  let isSound = true
  return {
    isSound: () => isSound,
    async run(): Promise<void> {
      const { fault, ok } = await verifyLedger(storage, { entries: 'new' })
      isSound = ok
      if (!ok) logger.error({ fault }, 'the ledger is broken: see billing.verify')
    },
  }
}
