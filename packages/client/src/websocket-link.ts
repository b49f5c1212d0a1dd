// Calls over WebSocket. A connection belongs to one authorization: when the token changes, a new
// connection is opened for it and the old one closes itself once nothing on it is waiting.
import { createWSClient, TRPCClientError, wsLink, type TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { observable } from '@trpc/server/observable'
import { readAuthorization } from './auth-link.ts'
import type { Authorization } from './authorization.ts'
import type { PlainRouter, Transport } from './transport.ts'

/** How long a connection with nothing to do stays open. */
const IDLE_CLOSE_MS = 30_000

type Connection = {
  readonly authorization: Authorization
  readonly client: ReturnType<typeof createWSClient>
}

/** Creates the sending link for WebSocket. `url` is that of the agent's tRPC endpoint, `ws:` or `wss:`. */
export function createWebSocketTransport<Router extends AnyTRPCRouter>(
  url: string,
): Transport<Router> {
  const connections = new Set<Connection>()
  let current: Connection | undefined

  function connect(authorization: Authorization): Connection {
    if (current?.authorization === authorization) return current
    const client = createWSClient({
      url,
      // The token travels in the first message, not in the URL.
      connectionParams: async () => authorization.toHeaders(),
      lazy: { enabled: true, closeMs: IDLE_CLOSE_MS },
    })
    const connection = { authorization, client }
    current = connection
    connections.add(connection)
    client.connectionState.subscribe({
      next: ({ state }) => {
        if (state === 'idle' && connection !== current) connections.delete(connection)
      },
    })
    return connection
  }

  const link: TRPCLink<Router> = (runtime) => (call) =>
    observable((observer) => {
      const { client } = connect(readAuthorization(call.op))
      const sent = wsLink<PlainRouter>({ client })(runtime)(call).subscribe(observer)
      // tRPC's client goes on trying to connect for ever; a query or a mutation is told at once.
      const watch =
        call.op.type === 'subscription'
          ? undefined
          : client.connectionState.subscribe({
              next: ({ error, state }) => {
                if (state !== 'connecting' || !error) return
                observer.error(TRPCClientError.from(error))
              },
            })
      return () => {
        watch?.unsubscribe()
        sent.unsubscribe()
      }
    })

  return {
    link,
    async close() {
      current = undefined
      await Promise.all([...connections].map(async ({ client }) => client.close()))
      connections.clear()
    },
  }
}
