// Serves the router over WebSocket, at the same path and on the same port as over HTTP.
import { createCallerCount } from '@deputy/auth'
import { CLOSE_CODE, REAUTHENTICATE_PATH } from '@deputy/auth/protocol'
import { listProcedures } from '@deputy/auth/trpc'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { readPath, TRPC_PATH } from '../http-routes.ts'
import type { BoundedServer } from '../limits/bounded-server.ts'
import {
  serveConnection,
  type Connection,
  type ConnectionOptions,
  type Handshake,
} from './connection.ts'
import type { AgentWebSocketServer } from './create-web-socket-server.ts'
import { CLOSE_TIMEOUT_MS, type OpenSocket } from './outbox.ts'
import { createRunCall } from './run-call.ts'

export type WebSocketOptions = Omit<ConnectionOptions, 'admit' | 'runCall'> & {
  /** Told when `ws` cannot be loaded: the installation is broken, and every handshake is refused with 500. */
  readonly onFault: (error: unknown) => void
}

type Upgrade = { readonly req: IncomingMessage; readonly stream: Duplex; readonly head: Buffer }

export type WebSockets = {
  /** Takes no new connection, and asks clients to go elsewhere: they finish what is under way here. */
  notify(): void
  /** Ends what is still open, with a code that tells clients to come back. */
  close(): void
}

/** Pieces of one message at most: each takes far more memory than its bytes. More: closed with 1008. */
const MAX_FRAGMENTS = 1024

/** Starts serving. Throws `TypeError` for a router with a procedure where tokens are presented. */
export function serveWebSocket(bounded: BoundedServer, options: WebSocketOptions): WebSockets {
  const { server } = bounded
  const { limits, router } = options
  if (listProcedures(router).some(({ path }) => path === REAUTHENTICATE_PATH)) {
    throw new TypeError(`no procedure may be called "${REAUTHENTICATE_PATH}": name it otherwise`)
  }
  const callers = createCallerCount(limits.maxConnectionsPerAgent)
  const settings = {
    clientTracking: false,
    maxPayload: limits.maxMessageBytes,
    maxFragments: MAX_FRAGMENTS,
    // Not in the types of `ws` yet.
    closeTimeout: CLOSE_TIMEOUT_MS,
  }
  const connections = new Set<Connection>()
  const runCall = createRunCall(router)
  let isDraining = false
  let sockets: AgentWebSocketServer | undefined
  let loading: Promise<AgentWebSocketServer> | undefined

  async function load(): Promise<AgentWebSocketServer> {
    loading ??= import('./create-web-socket-server.ts').then(({ createWebSocketServer }) =>
      createWebSocketServer(settings),
    )
    return loading
  }

  function take(open: OpenSocket, req: Handshake): void {
    const connection = serveConnection(open, req, {
      ...options,
      runCall,
      admit: (agentId) => callers.admit(agentId),
    })
    connections.add(connection)
    open.socket.once('close', () => connections.delete(connection))
  }

  function isFull(stream: Duplex): boolean {
    return connections.size >= limits.maxConnections || bounded.isExcess(stream)
  }

  function shakeHands(sockets: AgentWebSocketServer, { head, req, stream }: Upgrade): void {
    if (isDraining || isFull(stream)) refuseHandshake(stream, '503 Service Unavailable')
    else {
      sockets.handleUpgrade(req, stream, head, (socket) => {
        take({ socket, stream }, toHandshake(req))
      })
    }
  }

  async function loadFor(upgrade: Upgrade): Promise<void> {
    try {
      sockets = await load()
      shakeHands(sockets, upgrade)
    } catch (error) {
      options.onFault(error)
      refuseHandshake(upgrade.stream, '500 Internal Server Error')
    }
  }

  server.on('upgrade', (req: IncomingMessage, stream: Duplex, head: Buffer) => {
    bounded.release(stream)
    // Without a listener, a peer that resets while the handshake runs would end the process.
    stream.on('error', cut)
    if (readPath(req) !== TRPC_PATH) refuseHandshake(stream, '404 Not Found')
    else if (sockets === undefined) {
      void loadFor({ req, stream, head })
    } else shakeHands(sockets, { req, stream, head })
  })

  // One timer for all, rather than two for each.
  const sweep = setInterval(() => {
    const nowMs = performance.now()
    for (const connection of connections) connection.sweep(nowMs)
  }, limits.pingEveryMs).unref()
  server.once('close', () => {
    clearInterval(sweep)
  })

  return {
    notify() {
      isDraining = true
      for (const connection of connections) connection.notify()
    },
    close() {
      for (const connection of connections) {
        connection.close(CLOSE_CODE.goingAway, 'the agent is shutting down')
      }
    },
  }
}

/** What is needed of a handshake: the whole of it would be kept for as long as the connection. */
function toHandshake({ headers, method, socket, url }: IncomingMessage): Handshake {
  return { headers, method, url, socket: { remoteAddress: socket.remoteAddress } }
}

function cut(this: Duplex): void {
  this.destroy()
}

function refuseHandshake(socket: Duplex, status: string): void {
  const retry = status.startsWith('503') ? 'retry-after: 1\r\n' : ''
  // Attack prevented: a peer that never closes its half, and holds the socket for ever.
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\n${retry}connection: close\r\ncontent-length: 0\r\n\r\n`)
}

/**
 * Whether a request is to leave HTTP, for `shouldUpgradeCallback`. Any other offer is ignored, and the request
 * answered as it is (RFC 9110 §7.8): Java's HTTP client offers `h2c` with each.
 */
export function isWebSocketHandshake({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket'
}
