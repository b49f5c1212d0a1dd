// Runs a router as an agent: HTTP and WebSocket on one port, health, metadata (RFC 9728), drain.
import {
  createCallerCount,
  createFailureGuard,
  createLimitCaller,
  createMemoryRateLimiter,
  formatRateLimitHeaders,
  type Authenticator,
  type LimitStores,
  type RateLimiter,
  type RateLimitTiers,
} from '@deputy/auth'
import { toProtectedResourceMetadataUrl, type Clock } from '@deputy/auth/protocol'
import {
  assertScopedRouter,
  createAgentContext,
  createCallDeadlines,
  createChallengeHeaders,
  createConnectionContext,
  createOpenStreams,
  type ObserveCall,
} from '@deputy/auth/trpc'
import type { AnyTRPCRouter } from '@trpc/server'
import type { RequestListener } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import type { Logger } from 'pino'
import { serveBelowPath } from './below-path.ts'
import { createCallLog } from './call-log.ts'
import { createLoggedCallerAddress } from './logged-caller-address.ts'
import { createMetadata } from './agent-metadata.ts'
import { allowOrigins } from './cross-origin.ts'
import { createRequestListener, TRPC_PATH } from './http-routes.ts'
import { readAgentLimits, type AgentLimitsOptions } from './limits/agent-limits.ts'
import { createBoundedServer } from './limits/bounded-server.ts'
import { createRequestRefusals } from './limits/request-refusal.ts'
import { listen, type Bind } from './listen.ts'
import { createPlainCallHandler } from './plain-calls/plain-call-handler.ts'
import { isWebSocketHandshake, serveWebSocket } from './web-socket/serve-web-socket.ts'

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
  /** Origins of web pages whose scripts may call it (CORS), like `https://app.example`. Default: none. */
  readonly allowedOrigins?: readonly string[] | undefined
  /** What callers reach the agent by, when that is not host and port. It may have a path. */
  readonly publicUrl?: string | undefined
  /** Answers `/readyz`. Default: always ready. */
  readonly isReady?: (() => Promise<boolean>) | undefined
  /** Gets the requests that are not the agent's own. Default: 404. */
  readonly fallback?: RequestListener | undefined
  /** Counts the calls of each caller. Default: in memory, for this process alone. */
  readonly rateLimiter?: RateLimiter | undefined
  /** How many calls the callers of each tier may make. Default: `DEFAULT_RATE_LIMIT_TIERS`. */
  readonly rateLimitTiers?: RateLimitTiers | undefined
  /**
   * How many proxies in front of the agent are trusted to name the caller's address (`X-Forwarded-For`), by which failures
   * and unknown API keys are limited. Default 0. Throws `TypeError` for what is no such number.
   */
  readonly trustedProxies?: number | undefined
  /** Where what is used of callers' limits is kept. Without it, tokens that need it are refused. */
  readonly limitStores?: LimitStores | undefined
  /** Told of each call, beside the log. What it does at a call's end is done before the answer goes out. */
  readonly observeCall?: ObserveCall | undefined
  /** What deadlines go by. Default: the machine's clock and timers. */
  readonly clock?: Clock | undefined
  /** What callers may take up. See `AgentLimits` for each and its default. Throws `TypeError` for one that is none. */
  readonly limits?: AgentLimitsOptions | undefined
}

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
  const limits = readAgentLimits(options.limits)
  const { maxBatchSize } = limits
  const callLog = createCallLog(logger)
  const observeCall = observeBoth(callLog.observeCall, options.observeCall)
  const limiter = options.rateLimiter ?? createMemoryRateLimiter()
  const { agentId, rateLimitTiers: tiers } = options
  const deadlines = createCallDeadlines({ ...limits, clock: options.clock })
  const contextOptions = {
    authenticator,
    observeCall,
    publicUrl: () => url,
    limitCaller: createLimitCaller({ limiter, audience: agentId, tiers }),
    failureGuard: createFailureGuard(limiter, agentId),
    readAddress: createLoggedCallerAddress(logger, options.trustedProxies),
    limitStores: options.limitStores,
    callsUnderWay: createCallerCount(limits.maxCallsPerAgent),
  }
  const openStreams = createOpenStreams(limits)
  let isDraining = false
  let url = options.publicUrl ?? ''

  const metadata = createMetadata(options)
  const trpc = createPlainCallHandler({
    router,
    basePath: `${TRPC_PATH}/`,
    createContext: createAgentContext({ ...contextOptions, deadlines, openStreams }),
    maxBodySize: limits.maxBodyBytes,
    maxJsonDepth: limits.maxJsonDepth,
    maxBatchSize,
    allowMethodOverride: true,
    onError: callLog.noteError,
    responseMeta({ ctx, errors }) {
      const headers: Record<string, string> = { 'cache-control': 'no-store' }
      if (isDraining) headers['connection'] = 'close'
      if (ctx !== undefined) {
        headers['x-correlation-id'] = ctx.correlationId
        Object.assign(headers, formatRateLimitHeaders(ctx.rateLimits))
        // > The server can supply the new nonce [...] in the same way (RFC 9449 §8.2): nobody is refused to learn it.
        const nonce = ctx.getDpopNonce?.()
        if (nonce !== undefined) headers['dpop-nonce'] = nonce
      }
      if (errors.length > 0) {
        const metadataUrl = toProtectedResourceMetadataUrl(url).href
        Object.assign(headers, createChallengeHeaders(errors, metadataUrl))
      }
      return { headers }
    },
  })
  const bounded = createBoundedServer({
    limits,
    refusals: createRequestRefusals(router, limits),
    mayUpgrade: isWebSocketHandshake,
    listener: allowOrigins(
      createRequestListener({
        trpc,
        fallback: options.fallback,
        metadata: () => metadata(url),
        isReady: async () => !isDraining && (await (options.isReady?.() ?? true)),
      }),
      options.allowedOrigins ?? [],
    ),
  })
  const { server } = bounded
  const webSockets = serveWebSocket(bounded, {
    router,
    createContext: createConnectionContext(contextOptions),
    deadlines,
    limits: limits.webSocket,
    maxBatchSize,
    onError: callLog.noteError,
    onFault: (error) => logger.error({ err: error }, 'ws cannot be loaded: WebSockets are refused'),
  })

  if (url !== '') serveBelowPath(server, url)

  const { host, port } = await listen(server, options).catch((error: unknown) => {
    bounded[Symbol.dispose]()
    throw error
  })
  if (url === '') url = `http://${host}:${String(port)}`
  logger.info({ url, listensOn: `${host}:${String(port)}`, issuer: options.issuer }, 'listening')

  async function drain(): Promise<void> {
    isDraining = true
    const closed = bounded.drain()
    const deadline = Promise.withResolvers<void>()
    const timer = setTimeout(deadline.resolve, limits.drainTimeoutMs)
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
    logger.info('closed')
  }

  let draining: Promise<void> | undefined
  const close = async (): Promise<void> => (draining ??= drain())
  return { url, port, close, [Symbol.asyncDispose]: close }
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
