// A server of `node:http` on which nobody takes more than the limits: slow senders, large headers, long URLs, sockets
// in any number. What Node itself would answer without a word is answered with the reason.
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AgentLimits } from './agent-limits.ts'
import { createServer } from '../node-http.ts'
import type { RequestRefusal, RequestRefusals } from './request-refusal.ts'
import { createSlowReaders } from './slow-readers.ts'

export type BoundedServer = Disposable & {
  readonly server: Server
  /** Whether a connection is beyond the limit: its first request is refused. */
  isExcess(socket: Duplex): boolean
  /**
   * Takes no new connection, and ends those on which nothing is under way: at once, or with the answer that comes
   * next. Resolves when the last one is closed, of those that have left HTTP too.
   */
  drain(): Promise<void>
  /** A connection that has left HTTP has limits of its own. */
  release(socket: Duplex): void
}

export type BoundedServerOptions = {
  readonly limits: AgentLimits
  readonly refusals: RequestRefusals
  readonly listener: RequestListener
  /** Whether a request is to leave HTTP; any other offer to is ignored (RFC 9110 §7.8). */
  readonly mayUpgrade: (req: IncomingMessage) => boolean
}

/** Creates it; it does not listen yet. */
export function createBoundedServer(options: BoundedServerOptions): BoundedServer {
  const { limits, listener, mayUpgrade, refusals } = options
  const maxFields = 2 * limits.maxHeaderCount
  const { headersTimeoutMs, maxUrlBytes, requestTimeoutMs } = limits
  const pipeline = createPipeline(limits.maxPipelinedRequests)
  const open = new Set<Duplex>()
  const excess = new Set<Duplex>()
  let isDraining = false

  const server = createServer(
    {
      headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      // Node looks every 30 seconds unless it is told to: a limit would hold as late as that.
      connectionsCheckingInterval: toCheckingInterval(limits),
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      maxHeaderSize: toCount(limits.maxHeaderBytes),
      shouldUpgradeCallback: mayUpgrade,
    },
    (req, res) => {
      if (isDraining) res.setHeader('connection', 'close')
      if ((req.url ?? '').length > maxUrlBytes) refusals.send(res, 'url_too_long')
      else if (req.rawHeaders.length > maxFields) refusals.send(res, 'headers_too_large')
      else if (excess.size > 0 && excess.has(req.socket)) {
        refusals.send(res, 'too_many_connections')
      } else if (res.socket === null && !pipeline.admit(req.socket, res)) {
        refusals.send(res, 'too_many_requests')
      } else listener(req, res)
    },
  )
  // Node leaves further fields out without a word: one more than may be shows that there are.
  server.maxHeadersCount = toCount(limits.maxHeaderCount + 1)
  server.maxRequestsPerSocket = toCount(limits.maxRequestsPerConnection)
  if (Number.isFinite(limits.maxConnections)) {
    server.maxConnections = Math.ceil(limits.maxConnections * 1.1)
  }

  const slowReaders = createSlowReaders(limits.slowReaderTimeoutMs)
  server.on('connection', (socket: Duplex) => {
    open.add(socket)
    if (open.size > limits.maxConnections) excess.add(socket)
    slowReaders.watch(socket)
    socket.once('close', () => {
      open.delete(socket)
      excess.delete(socket)
    })
  })
  server.on('checkContinue', (req, res) => {
    // A body that is too large is not asked for, and whether it comes all the same is not waited for.
    if (Number(req.headers['content-length']) > limits.maxBodyBytes) {
      refusals.send(res, 'payload_too_large')
    } else {
      res.writeContinue()
      server.emit('request', req, res)
    }
  })
  server.on('clientError', (error: ParserError, socket) => {
    const refusal = toRefusal(error, limits)
    if (refusal === undefined || !socket.writable || isAnswered(socket)) socket.destroy()
    else sendLast(socket, refusals.toBytes(refusal, { isHead: isHead(socket, error) }))
  })

  return {
    server,
    isExcess: (socket) => excess.has(socket),
    async drain() {
      isDraining = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      // To Node, one on which nothing was said yet is waiting for its first request, and not idle.
      for (const socket of open) if (Reflect.get(socket, 'bytesRead') === 0) socket.destroy()
      // A kept-alive connection is idle only once its last answer is out: asked for again until then.
      const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_EVERY_MS)
      await closed
      clearInterval(sweep)
      slowReaders[Symbol.dispose]()
    },
    release: (socket) => slowReaders.release(socket),
    [Symbol.dispose]: () => slowReaders[Symbol.dispose](),
  }
}

/**
 * Counts requests that came on a connection before those in front of them were answered: until then they have no socket
 * of their own. Refusals have to wait as well; Node stops reading once some of them do.
 */
function createPipeline(most: number) {
  const waiting = new Map<Duplex, number>()
  return {
    /** Whether one more may wait. */
    admit(socket: Duplex, res: ServerResponse): boolean {
      const before = waiting.get(socket) ?? 0
      if (before >= most) return false
      waiting.set(socket, before + 1)
      res.once('close', () => {
        const now = waiting.get(socket) ?? 0
        if (now > 1) waiting.set(socket, now - 1)
        else waiting.delete(socket)
      })
      return true
    },
  }
}

/** How often connections that have become idle are closed during a drain. */
const SWEEP_EVERY_MS = 50

/** What Node says of a request that it could not read. */
type ParserError = Error & { readonly code?: string; readonly rawPacket?: Buffer }

/** `undefined` where nobody is there any more to be told. */
function toRefusal(
  { code = '', rawPacket }: ParserError,
  { maxUrlBytes }: AgentLimits,
): RequestRefusal | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout'
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 'payload_too_large'
  if (code === 'HPE_HEADER_OVERFLOW') {
    const endOfLine = rawPacket?.indexOf('\r\n') ?? -1
    const lineBytes = endOfLine === -1 ? (rawPacket?.length ?? 0) : endOfLine
    const isFirst =
      rawPacket !== undefined && REQUEST_LINE.test(rawPacket.toString('latin1', 0, 16))
    return isFirst && lineBytes > maxUrlBytes ? 'url_too_long' : 'headers_too_large'
  }
  return code.startsWith('HPE_') ? 'bad_request' : undefined
}

const REQUEST_LINE = /^[A-Z]{3,7} \//

/**
 * Whether the request that is at fault was answered already, or an answer has begun: what is written then would be taken
 * for a part of it, or for the next one. Node asks the first in its own handling of these errors; nothing public tells.
 */
function isAnswered(socket: Duplex): boolean {
  const res: unknown = Reflect.get(socket, '_httpMessage')
  if (isObject(res)) return Reflect.get(res, '_headerSent') === true
  const parser: unknown = Reflect.get(socket, 'parser')
  const req: unknown = isObject(parser) ? Reflect.get(parser, 'incoming') : undefined
  return isObject(req) && Reflect.get(req, 'complete') === false
}

/**
 * Whether what is written will be taken for the answer to a HEAD, which has no body: the rest would be no HTTP. Of a
 * request whose header was too large, there is nothing but its bytes.
 */
function isHead(socket: Duplex, { rawPacket }: ParserError): boolean {
  const res: unknown = Reflect.get(socket, '_httpMessage')
  if (!isObject(res)) return rawPacket?.toString('latin1', 0, 5) === 'HEAD '
  const req: unknown = Reflect.get(res, 'req')
  return isObject(req) && Reflect.get(req, 'method') === 'HEAD'
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** How long what a peer goes on sending is thrown away before its connection is cut. */
const LINGER_MS = 500

/**
 * Sends the last bytes of a connection. Cut at once while something is unread, TCP would throw away what the peer
 * has not read yet of the answer (RFC 9112 §9.6).
 */
function sendLast(socket: Duplex, bytes: string): void {
  if (socket.writableEnded) return
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => {
    clearTimeout(timer)
  })
  socket.once('end', () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.removeAllListeners('data')
  socket.on('data', () => undefined)
  socket.end(bytes)
}

/** A tenth of the shorter one, so that both hold within a tenth of themselves; a second at most. */
function toCheckingInterval({ headersTimeoutMs, requestTimeoutMs }: AgentLimits): number {
  return Math.max(1, Math.min(1000, Math.floor(Math.min(headersTimeoutMs, requestTimeoutMs) / 10)))
}

/** As Node takes numbers: whole, and 0 for no limit. */
function toCount(limit: number): number {
  return Number.isFinite(limit) ? Math.ceil(limit) : 0
}
