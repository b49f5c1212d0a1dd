import type { AgentContext, createAgentContext } from '@deputy/auth/trpc'
import type { AnyTRPCRouter } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { readPath, TRPC_PATH } from './http-routes.ts'

export type WebSocketOptions = {
  readonly router: AnyTRPCRouter
  readonly createContext: ReturnType<typeof createAgentContext>
  /** Largest message, in bytes. */
  readonly maxBytes: number
  /** Most calls in one message. */
  readonly maxBatchSize: number
}

export type WebSockets = {
  /** Asks clients to go elsewhere: they finish what is under way here. */
  notify(): void
  /** Ends what is still open, with a code that tells clients to come back. */
  close(): void
}

/** RFC 6455 §7.4.1: going away. tRPC's client reconnects after it. */
const GOING_AWAY = 1001

/** How long a peer may take to answer a close. */
const CLOSE_TIMEOUT_MS = 1000

/** Serves the router over WebSocket, at the same path and on the same port as over HTTP. */
export function serveWebSocket(server: Server, options: WebSocketOptions): WebSockets {
  const { createContext, maxBatchSize, maxBytes, router } = options
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxBytes })
  const handler = applyWSSHandler({
    wss: sockets,
    router,
    createContext: (request) => closeAtEnd(createContext(request), request.res),
    maxBatchSize,
    keepAlive: { enabled: true, pingMs: 30_000, pongWaitMs: 5000 },
  })
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Without a listener, a peer that resets while the handshake runs would end the process.
    socket.on('error', () => socket.destroy())
    if (readPath(req) !== TRPC_PATH) {
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
      return
    }
    sockets.handleUpgrade(req, socket, head, (client) => {
      client.on('error', () => client.terminate())
      sockets.emit('connection', client, req)
    })
  })
  return {
    notify() {
      handler.broadcastReconnectNotification()
    },
    close() {
      for (const client of sockets.clients) {
        client.close(GOING_AWAY, 'the agent is shutting down')
        // A peer that does not answer the close is not waited for.
        setTimeout(() => client.terminate(), CLOSE_TIMEOUT_MS).unref()
      }
      sockets.close()
    },
  }
}

/** RFC 6455 §7.4.2: for private use. The caller's authority has ended: tRPC's client comes back with a new token. */
const AUTHORITY_ENDED = 4401

/** What is under way is answered with the reason first. */
const CLOSE_AFTER_MS = 25

/** Closes the socket when the authority that it was opened with ends, also where nothing is under way. */
function closeAtEnd(context: AgentContext, socket: WebSocket): AgentContext {
  let isWatched = false
  return {
    ...context,
    async authenticate() {
      const authenticated = await context.authenticate()
      if (!authenticated.ok || isWatched) return authenticated
      isWatched = true
      const stop = context.watch(({ reason }) => {
        setTimeout(() => {
          socket.close(AUTHORITY_ENDED, reason)
        }, CLOSE_AFTER_MS).unref()
      })
      socket.once('close', stop)
      return authenticated
    },
  }
}
