// Calls over WebSocket. A connection belongs to what its authorization comes from, however often the token changes. One
// that is lost is not brought back here: whatever was on it is told, and the links before this one send it again.
import { TRPCClientError, type Operation, type TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { observable, type Unsubscribable } from '@trpc/server/observable'
import { readAuthorized, type Authorized } from './auth-link.ts'
import type { Authorizer } from './authorization.ts'
import { noteNonce } from './dpop/note-nonce.ts'
import { toClientError } from './error/to-client-error.ts'
import { withDeadlineParams } from './links/deadline.ts'
import { createLineSocket } from './line-socket.ts'
import { createNeverSent, findCallFate } from './links/lost-call.ts'
import { cancelCall, frameParams, isWritten } from './message-params.ts'
import type { Transport } from './transport.ts'
import { openConnection, type Connection } from './websocket-connection.ts'

/** Creates the sending link for WebSocket. `httpUrl` is that of the agent's tRPC endpoint. */
export function createWebSocketTransport<Router extends AnyTRPCRouter>(
  httpUrl: string,
  WebSocketClass?: typeof WebSocket,
): Transport<Router> {
  const open = new Set<Connection>()
  /** Those that take calls. */
  const current = new Map<Authorizer, Connection>()
  let isClosed = false

  function connect(authorized: Authorized): Connection {
    const { authorizer } = authorized
    const known = current.get(authorizer)
    if (known !== undefined) return known
    const connection = openConnection({
      url: httpUrl.replace(/^http/, 'ws'),
      httpUrl,
      authorized,
      WebSocket: createLineSocket(WebSocketClass ?? globalThis.WebSocket),
      onRetired: () => {
        if (current.get(authorizer) === connection) current.delete(authorizer)
      },
      onClosed: () => {
        open.delete(connection)
      },
    })
    open.add(connection)
    current.set(authorizer, connection)
    return connection
  }

  const link: TRPCLink<Router> =
    () =>
    ({ op }) =>
      observable((observer) => {
        const authorized = readAuthorized(op)
        const { authorization } = authorized
        let sent: Unsubscribable | undefined
        let leave: (() => void) | undefined
        let isOver = false
        /** Tells the agent that nobody waits; nothing to do once it has answered. */
        let cancel: (() => void) | undefined
        /** As it is handed to the connection, which writes it once it is open. */
        let framed: Operation | undefined

        function fail(cause: unknown): void {
          const error = toClientError(cause)
          const isSent = framed !== undefined && isWritten(framed)
          const isUnsent = !isSent && findCallFate(error) === 'lost'
          const told = isUnsent ? toClientError(createNeverSent(error)) : error
          observer.error(TRPCClientError.from(told))
        }

        /** What stands in the way of a connection is the call's to hear. */
        function begin(attempt: number): void {
          send(attempt).catch((cause: unknown) => {
            observer.error(TRPCClientError.from(toClientError(cause)))
          })
        }

        async function send(attempt: number): Promise<void> {
          const connection = connect(authorized)
          framed = undefined
          leave = connection.join(fail)
          // One that waited for a token or its next attempt when the client was closed: nobody else would end it.
          if (isClosed) connection.retire()
          await connection.adopt(authorization)
          if (isOver) return
          const written = frameParams(withDeadlineParams(op))
          framed = written
          if (op.type !== 'subscription') cancel = () => cancelCall(written)
          sent = connection.send({ op: written, next: unreachable }).subscribe({
            next(value) {
              cancel = undefined
              observer.next(value)
            },
            complete: observer.complete,
            error(cause) {
              cancel = undefined
              const error = toClientError(cause)
              // The agent turns away whatever else comes on it, or closes it.
              if (error.status === 401) connection.retire()
              if (attempt > 1 || !noteNonce(authorization, httpUrl, error)) {
                fail(error)
                return
              }
              leave?.()
              begin(attempt + 1)
            },
          })
        }

        begin(1)
        return () => {
          isOver = true
          sent?.unsubscribe()
          cancel?.()
          leave?.()
        }
      })

  return {
    link,
    async close() {
      isClosed = true
      current.clear()
      await Promise.all([...open].map(async (connection) => connection.close()))
      open.clear()
    },
  }
}

function unreachable(): never {
  throw new TypeError('the link that sends is the last one')
}
