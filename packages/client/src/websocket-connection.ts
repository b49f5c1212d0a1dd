// One WebSocket to an agent. It stays open over renewals: the new token is presented on it before the old one ends.
import { REAUTHENTICATE_PATH } from '@deputy/auth/protocol'
import { createWSClient, wsLink, type OperationLink } from '@trpc/client'
import type { Authorized } from './auth-link.ts'
import type { Authorization } from './authorization.ts'
import { noteNonce } from './dpop/note-nonce.ts'
import { toClientError } from './error/to-client-error.ts'
import { WEBSOCKET_CLOSED } from './links/lost-call.ts'
import { createFramedEncoder } from './message-params.ts'
import type { PlainRouter } from './transport.ts'

export type ConnectionOptions = {
  /** Of the agent's tRPC endpoint, `ws:` or `wss:`. */
  readonly url: string
  /** The same with `http:` or `https:`: what proofs are made for. */
  readonly httpUrl: string
  readonly authorized: Authorized
  /** One that sends lines (`line-socket.ts`). `undefined` where there is none here: tRPC says so. */
  readonly WebSocket: typeof WebSocket | undefined
  /** Told when nothing new is to be sent on it any more. */
  readonly onRetired: () => void
  /** Told when it is closed. */
  readonly onClosed: () => void
}

export type Connection = {
  /** Sends a call. */
  readonly send: OperationLink<PlainRouter>
  /**
   * Goes on under this authorization, unless it is an earlier one. What it answers, if anything, is to be waited for
   * before a call is sent.
   */
  adopt(authorization: Authorization): Promise<void> | undefined
  /** Takes up a call: it is told when the connection is lost. What it answers ends that. */
  join(onLost: (error: Error) => void): () => void
  /** Takes no more calls, and is closed after the last one. */
  retire(): void
  /** Closes, once what is under way is answered. */
  close(): Promise<void>
}

/** How long a connection with nothing to do stays open. */
const IDLE_CLOSE_MS = 30_000

/** Of a peer that is gone without a sign. Later than the idle end, which an answer would put off. */
const KEEP_ALIVE = { enabled: true, intervalMs: 45_000, pongTimeoutMs: 10_000 }

/** Opens a connection with its first call. */
export function openConnection(options: ConnectionOptions): Connection {
  const { authorized, httpUrl, onClosed, onRetired, url } = options
  const proved = { method: 'GET', url: httpUrl }
  const calls = new Set<(error: Error) => void>()
  let current = authorized.authorization
  const known = new WeakSet([current])
  let isGreeted = false
  let isRetired = false
  let isOver = false
  /** Resolves once it is retired and its last call is answered, or when it is lost. */
  const done = Promise.withResolvers<void>()
  let presenting: Promise<void> | undefined

  const client = createWSClient({
    url,
    ...(options.WebSocket === undefined ? {} : { WebSocket: options.WebSocket }),
    // The token travels in the first message, not in the URL.
    connectionParams: async () => {
      isGreeted = true
      return current.toRequestHeaders(proved)
    },
    lazy: { enabled: true, closeMs: IDLE_CLOSE_MS },
    keepAlive: KEEP_ALIVE,
    // Only an agent that shuts down has its clients connect elsewhere while this connection still serves them.
    retryDelayMs: (attempt) =>
      attempt === 0 ? 0 : Math.min(1000 * 2 ** attempt, 30_000) * (0.5 + Math.random() / 2),
    experimental_encoder: createFramedEncoder(() => client.connection?.ws ?? undefined),
    onClose: (event) => {
      // One that another one took the place of is closed, too.
      if (client.connection?.state !== 'open') lose(toClosedError(event))
    },
  })
  const send = wsLink<PlainRouter>({ client })({})
  const unwatch = authorized.authorizer.watch?.((renewed) => {
    void adopt(renewed)
  })
  client.connectionState.subscribe({
    next: ({ error, state }) => {
      if (state === 'connecting' && error) lose(error)
    },
  })

  function lose(reason: Error): void {
    if (isOver) return
    isOver = true
    retire()
    unwatch?.()
    onClosed()
    for (const tell of calls) tell(reason)
    calls.clear()
    end()
  }

  function end(): void {
    client.close().then(done.resolve, done.resolve)
  }

  function retire(): void {
    if (!isRetired) onRetired()
    isRetired = true
    closeIfDone()
  }

  function closeIfDone(): void {
    if (isRetired && calls.size === 0) end()
  }

  function adopt(next: Authorization): Promise<void> | undefined {
    if (known.has(next)) return presenting
    known.add(next)
    current = next
    if (!isGreeted || isRetired) return presenting
    const begun = present(next, 1)
      .catch(retire)
      .finally(() => {
        if (presenting === begun) presenting = undefined
      })
    presenting = begun
    return presenting
  }

  /** Resolves when it is sent: the agent lets calls that come later wait for it. */
  async function present(next: Authorization, attempt: number): Promise<void> {
    const input = await next.toRequestHeaders(proved)
    if (current !== next || isOver) return
    const path = REAUTHENTICATE_PATH
    const op = { id: 0, type: 'mutation', path, input, context: {}, signal: null } as const
    send({ op, next: unreachable }).subscribe({
      error(cause) {
        const isForNonce = noteNonce(next, httpUrl, toClientError(cause))
        if (isForNonce && attempt === 1) present(next, 2).catch(retire)
        // Refused, or not known there: the next call opens a connection of its own.
        else retire()
      },
    })
  }

  return {
    send,
    adopt,
    join(onLost) {
      calls.add(onLost)
      return () => {
        if (calls.delete(onLost)) closeIfDone()
      }
    },
    retire,
    async close() {
      unwatch?.()
      retire()
      await done.promise
    },
  }
}

function unreachable(): never {
  throw new TypeError('the link that sends is the last one')
}

function toClosedError(event: { readonly code?: number; readonly reason?: string } = {}): Error {
  const { code, reason } = event
  const why = [code === undefined ? '' : String(code), reason ?? ''].filter((text) => text !== '')
  const message = `WebSocket closed${why.length === 0 ? '' : ` (${why.join(': ')})`}`
  return Object.assign(new Error(message), { code: WEBSOCKET_CLOSED })
}
