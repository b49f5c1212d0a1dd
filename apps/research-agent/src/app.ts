// The composition root: documents, jobs and billing behind the contract's router, behind Deputy's guard.
import { createIssuerAuthenticator, type RateLimitTiers } from '@deputy/auth'
import { systemClock, type Clock, type CredentialsFile } from '@deputy/auth/protocol'
import { createResearchRouter } from '@deputy/contracts/research'
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
import { createAgentBillingGateway } from './billing/agent-billing-gateway.ts'
import { createOpenBilling, createOpenBillingFor } from './billing/open-billing.ts'
import { findDefaultFolders } from './documents/default-folder.ts'
import type { DocumentFolder } from './documents/find-documents.ts'
import { openLibrary } from './documents/library.ts'
import { keepLeases, LEASE_SECONDS } from './jobs/lease.ts'
import { sweepJobs } from './jobs/sweep-jobs.ts'
import { DEFAULT_LIMITS, type LoopLimits } from './loop/limits.ts'
import { openPlanner, type ModelSettings } from './models/open-planner.ts'
import { createResearchService } from './research-service.ts'
import { observeJobs } from './trace/observe-jobs.ts'
import { openStorage } from './storage/open-storage.ts'

export type ResearchAgentOptions = {
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
  /** SQLite file; made on the first start. */
  readonly databaseFile: string
  /** Folder of Markdown, text, HTML, PDF or JSON. Default: this project's documentation and its packages'. */
  readonly documents?: string | undefined
  /** A folder that is searched beside. Default: none. */
  readonly moreDocuments?: string | undefined
  readonly billingUrl: string
  /** The model that answers. Default: none, a planner by rules. */
  readonly model?: ModelSettings | undefined
  /** Bounds of a job, where they are not `DEFAULT_LIMITS`. */
  readonly limits?: Partial<LoopLimits> | undefined
  /** How long a job is kept from others after the last sign of life of its process. Default 10. */
  readonly leaseSeconds?: number | undefined
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

/** How long a job that was interrupted waits for its asker: well below what billing keeps a hold for. */
const RESUME_SECONDS = 600

function toFolders({
  documents,
  moreDocuments,
}: Pick<ResearchAgentOptions, 'documents' | 'moreDocuments'>): readonly DocumentFolder[] {
  const own = documents === undefined ? findDefaultFolders() : [{ path: documents, prefix: '' }]
  // Under a prefix of their own: no path of one folder is one of the other.
  return moreDocuments === undefined ? own : [...own, { path: moreDocuments, prefix: 'more/' }]
}

/** Starts the research agent; it is ready when its documents are indexed. Rejects with `DatabaseOpenError` or `ListenError`. */
export async function createResearchAgent(options: ResearchAgentOptions): Promise<RunningAgent> {
  const { clock = systemClock, fetch: fetchWith, logger } = options
  const { client_id: agentId, client_secret: secret, issuer } = options.credentials
  await using stack = new AsyncDisposableStack()
  if (options.metricsPort !== undefined) {
    const { url } = stack.use(await serveMetrics({ port: options.metricsPort }))
    logger.info({ url }, 'serving metrics')
  }
  const storage = stack.use(await openStorage(options.databaseFile))
  const { documents, jobs, traces } = storage
  const identity = { issuer, clientId: agentId, clientSecret: secret, clock, fetch: fetchWith }
  const openBilling = { ...identity, url: options.billingUrl }
  const billing = createAgentBillingGateway(createOpenBilling(openBilling))
  const library = stack.use(openLibrary(documents, toFolders(options), { logger }))
  const { leaseSeconds = LEASE_SECONDS } = options
  const settling = { jobs, billing, clock, logger, leaseSeconds, resumeSeconds: RESUME_SECONDS }
  const swept = sweepJobs(settling)
  stack.defer(async () => swept)
  stack.use(startPruning({ prune: async () => sweepJobs(settling), logger, clock }))
  stack.use(keepLeases({ jobs, clock, leaseSeconds, logger }))
  stack.use(observeJobs({ jobs, clock, logger }))

  const { approvals, callCounter, prune } = storage.createLimitUse(clock)
  stack.use(startPruning({ prune, logger }))
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
      revocation: { onChange: createFeedLog(logger) },
    }),
  )
  const service = createResearchService({
    ...settling,
    traces,
    library,
    openBillingFor: createOpenBillingFor(openBilling),
    planner: openPlanner(options.model),
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    nowMs: () => performance.now(),
  })
  stack.defer(async () => service.close())
  const running = stack.use(
    await serveAgent({
      agentId,
      router: createResearchRouter(service),
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
      isReady: async () => library.isIndexed(),
    }),
  )
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  return { ...running, close, [Symbol.asyncDispose]: close }
}
