// Runs a router as an agent: HTTP and WebSocket on one port, health, metadata (RFC 9728), drain.
import {
  createFailureGuard,
  createLimitCaller,
  createMemoryRateLimiter,
  formatRateLimitHeaders,
  type Authenticator,
  type LimitStores,
  type RateLimiter,
  type RateLimitTiers,
} from '@deputy/auth'
import { toProtectedResourceMetadataUrl } from '@deputy/auth/protocol'
import {
  assertScopedRouter,
  createAgentContext,
  createChallengeHeaders,
  createConnectionContext,
  createOpenStreams,
  type ObserveCall,
} from '@deputy/auth/trpc'
import type { AnyTRPCRouter } from '@trpc/server'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import type { Logger } from 'pino'
import { serveBelowPath } from './below-path.ts'
import { createCallLog } from './call-log.ts'
import { createMetadata } from './agent-metadata.ts'
import { createRequestListener, TRPC_PATH } from './http-routes.ts'
import { listen, type Bind } from './listen.ts'
import { createPlainCallHandler } from './plain-calls/plain-call-handler.ts'
import { createSlowReaders } from './slow-readers.ts'
import { isWebSocketHandshake, serveWebSocket } from './web-socket/serve-web-socket.ts'
import { readWebSocketLimits, type WebSocketLimits } from './web-socket/web-socket-limits.ts'

export type ServeAgentOptions = {
  readonly agentId: string
  /** Made with `agentRouter` and `scopedProcedure`: any other is refused with `TypeError`. */
  readonly router: AnyTRPCRouter
  readonly authenticator: Authenticator
  /** The authorization server that callers get their tokens from. */
  readonly issuer: string
  /** Default: `127.0.0.1`. */
  readonly host?: string | undefined
  /** 0 lets the system choose. */
  readonly port: number
  /** In place of host and port: where connections come from, for servers without a port (tests). */
  readonly bind?: Bind | undefined
  readonly logger: Logger
  /** What callers reach the agent by, when that is not host and port. It may have a path. */
  readonly publicUrl?: string | undefined
  /** Answers `/readyz`. Default: always ready. */
  readonly isReady?: (() => Promise<boolean>) | undefined
  /** Gets the requests that are not the agent's own. Default: 404. */
  readonly fallback?: RequestListener | undefined
  /** Largest body or WebSocket message, in bytes. Default 1 MiB. */
  readonly maxBodyBytes?: number | undefined
  /** Most calls in one batch. Default 100. */
  readonly maxBatchSize?: number | undefined
  /** Counts the calls of each caller. Default: in memory, for this process alone. */
  readonly rateLimiter?: RateLimiter | undefined
  /** How many calls the callers of each tier may make. Default: `DEFAULT_RATE_LIMIT_TIERS`. */
  readonly rateLimitTiers?: RateLimitTiers | undefined
  /** Where what is used of callers' limits is kept. Without it, tokens that need it are refused. */
  readonly limitStores?: LimitStores | undefined
  /** Told of each call, beside the log. What it does at a call's end is done before the answer goes out. */
  readonly observeCall?: ObserveCall | undefined
  /** What WebSockets may take up. See `WebSocketLimits` for each default. */
  readonly webSocket?: Partial<WebSocketLimits> | undefined
  /** Most streams (SSE) that one agent may have open. More: `too_many_streams`. Default 1,000. */
  readonly maxStreamsPerAgent?: number | undefined
  /** How long a stream over HTTP may wait for its reader; then it is cut. Default 30,000 ms. */
  readonly slowReaderTimeoutMs?: number | undefined
  /** How long a drain waits for the calls under way. Default 10,000 ms. */
  readonly drainTimeoutMs?: number | undefined
}

/** Default for how long a drain waits. */
const DRAIN_TIMEOUT_MS = 10_000

export type RunningAgent = AsyncDisposable & {
  /** Where callers reach it. */
  readonly url: string
  readonly port: number
  /**
   * Drains: takes no new connection, lets the calls under way finish, then closes. A second call
   * waits for the same end.
   */
  close(): Promise<void>
}

/**
 * Starts serving. Rejects with `ListenError` when the port is taken or not allowed; throws
 * `TypeError` when the router has a procedure without scopes.
 */
export async function serveAgent(options: ServeAgentOptions): Promise<RunningAgent> {
  const { authenticator, logger, router } = options
  assertScopedRouter(router)
  const maxBytes = options.maxBodyBytes ?? 1024 * 1024
  const maxBatchSize = options.maxBatchSize ?? 100
  const callLog = createCallLog(logger)
  const observeCall = observeBoth(callLog.observeCall, options.observeCall)
  const limiter = options.rateLimiter ?? createMemoryRateLimiter()
  const { agentId, rateLimitTiers: tiers } = options
  const contextOptions = {
    authenticator,
    observeCall,
    publicUrl: () => url,
    limitCaller: createLimitCaller({ limiter, audience: agentId, tiers }),
    failureGuard: createFailureGuard(limiter, agentId),
    limitStores: options.limitStores,
  }
  const openStreams = createOpenStreams({ maxStreamsPerAgent: options.maxStreamsPerAgent ?? 1000 })
  const slowReaders = createSlowReaders(options.slowReaderTimeoutMs ?? 30_000)
  let isDraining = false
  let url = options.publicUrl ?? ''

  const metadata = createMetadata(options)
  const trpc = createPlainCallHandler({
    router,
    basePath: `${TRPC_PATH}/`,
    createContext: createAgentContext({ ...contextOptions, openStreams }),
    maxBodySize: maxBytes,
    maxBatchSize,
    allowMethodOverride: true,
    responseMeta: ({ ctx, errors }) => ({
      headers: {
        'cache-control': 'no-store',
        ...(ctx === undefined
          ? {}
          : {
              'x-correlation-id': ctx.correlationId,
              ...formatRateLimitHeaders(ctx.rateLimits),
            }),
        ...createChallengeHeaders(errors, toProtectedResourceMetadataUrl(url).href),
      },
    }),
  })
  const server = createServer(
    {
      requestTimeout: 30_000,
      headersTimeout: 10_000,
      shouldUpgradeCallback: isWebSocketHandshake,
    },
    createRequestListener({
      trpc(req, res) {
        if (isStreamed(req)) slowReaders.watch(res)
        trpc(req, res)
      },
      fallback: options.fallback,
      metadata: () => metadata(url),
      isReady: async () => !isDraining && (await (options.isReady?.() ?? true)),
    }),
  )
  const webSockets = serveWebSocket(server, {
    router,
    createContext: createConnectionContext(contextOptions),
    limits: readWebSocketLimits(options.webSocket, maxBytes),
    maxBatchSize,
  })

  if (url !== '') serveBelowPath(server, url)

  const { host, port } = await listen(server, options)
  if (url === '') url = `http://${host}:${String(port)}`
  logger.info({ url, issuer: options.issuer }, 'listening')

  async function drain(): Promise<void> {
    isDraining = true
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    const deadline = Promise.withResolvers<void>()
    const timer = setTimeout(deadline.resolve, options.drainTimeoutMs ?? DRAIN_TIMEOUT_MS)
    // A kept-alive connection is idle only once its last answer is out: asked for again until then.
    const sweep = setInterval(() => server.closeIdleConnections(), 50)
    webSockets.notify()
    openStreams.endAll()
    await Promise.race([callLog.whenIdle(), deadline.promise])
    // A call has ended a moment before its answer is written: that moment first.
    await setImmediate()
    webSockets.close()
    await Promise.race([closed, deadline.promise])
    server.closeAllConnections()
    await closed
    clearTimeout(timer)
    clearInterval(sweep)
    await slowReaders[Symbol.asyncDispose]()
    logger.info('closed')
  }

  let draining: Promise<void> | undefined
  const close = async (): Promise<void> => (draining ??= drain())
  return { url, port, close, [Symbol.asyncDispose]: close }
}

/** Whether the caller asks for an answer that comes in parts. */
function isStreamed({ headers }: IncomingMessage): boolean {
  const accept = headers.accept ?? ''
  return accept.includes('text/event-stream') || headers['trpc-accept'] !== undefined
}

function observeBoth(first: ObserveCall, second: ObserveCall | undefined): ObserveCall {
  if (second === undefined) return first
  return (call) => {
    const endFirst = first(call)
    const endSecond = second(call)
    return async (end) => {
      await endSecond(end)
      await endFirst(end)
    }
  }
}
