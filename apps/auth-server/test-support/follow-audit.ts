// Follows `audit.tail` over a real connection: by WebSocket with Deputy's client, and by server-sent events
// with nothing but `fetch`, as a client in another language would.
import {
  clientSecret,
  createAgentClient,
  toClientError,
} from '../../../packages/client/src/index.ts'
import { AUTH_SERVER_ID, type AdminRouter } from '../src/index.ts'
import type { Client, TestServer } from './auth-server.ts'
import { getToken } from './oauth-request.ts'

export type TailedEntry = { readonly id: string; readonly event: string; readonly tokenId?: string }

export type AuditTail = AsyncDisposable & {
  /** The next entry; rejects when the tail ends before one comes. */
  next(): Promise<TailedEntry>
  /** Resolves to the reason of the error that it ended with. */
  readonly ended: Promise<string>
}

export type FollowAudit = (
  server: TestServer,
  client: Client,
  options?: { readonly lastEventId?: string; readonly event?: 'token.issued' },
) => Promise<AuditTail>

/** Entries that have come and entries that are waited for. */
function createQueue() {
  const come: TailedEntry[] = []
  const waiting: PromiseWithResolvers<TailedEntry>[] = []
  const { promise: ended, resolve } = Promise.withResolvers<string>()
  return {
    ended,
    push(entry: TailedEntry): void {
      const first = waiting.shift()
      if (first === undefined) come.push(entry)
      else first.resolve(entry)
    },
    end(reason: string): void {
      resolve(reason)
      for (const one of waiting.splice(0)) one.reject(new Error(`the tail ended: ${reason}`))
    },
    async next(): Promise<TailedEntry> {
      const entry = come.shift()
      if (entry !== undefined) return entry
      const one = Promise.withResolvers<TailedEntry>()
      waiting.push(one)
      return one.promise
    },
  }
}

/** By WebSocket. Resolves when the server follows the trail. */
export const followByWebSocket: FollowAudit = async (server, client, options = {}) => {
  const queue = createQueue()
  const { issuer, clock } = server
  const admin = createAgentClient<AdminRouter>({
    url: issuer,
    audience: AUTH_SERVER_ID,
    scopes: ['audit:read'],
    transport: 'websocket',
    credentials: clientSecret({ issuer, clientId: client.id, clientSecret: client.secret, clock }),
  })
  const started = Promise.withResolvers<void>()
  const { event = 'token.issued', lastEventId } = options
  const subscription = admin.audit.tail.subscribe(
    { event, ...(lastEventId === undefined ? {} : { lastEventId }) },
    {
      onStarted: () => started.resolve(),
      onData: ({ data, id }) => queue.push({ ...data, id }),
      onError: (error) => queue.end(toClientError(error).code),
    },
  )
  await started.promise
  return {
    ...queue,
    async [Symbol.asyncDispose]() {
      subscription.unsubscribe()
      await admin[Symbol.asyncDispose]()
    },
  }
}

/** By server-sent events. Resolves when the server follows the trail. */
export const followByEvents: FollowAudit = async (server, client, options = {}) => {
  const queue = createQueue()
  const token = await getToken(server, client, { audience: AUTH_SERVER_ID, scope: 'audit:read' })
  const { event = 'token.issued', lastEventId } = options
  const abort = new AbortController()
  const input = encodeURIComponent(JSON.stringify({ event }))
  const response = await fetch(`${server.issuer}/trpc/audit.tail?input=${input}`, {
    signal: abort.signal,
    headers: {
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
  })
  const started = Promise.withResolvers<void>()
  const read = async (): Promise<void> => {
    let text = ''
    for await (const chunk of response.body ?? []) {
      text += new TextDecoder().decode(chunk)
      const events = text.split('\n\n')
      text = events.pop() ?? ''
      for (const one of events) take(one)
    }
    queue.end('closed')
  }
  function take(text: string): void {
    const fields = new Map(
      text.split('\n').map((line) => {
        const colon = line.indexOf(': ')
        return [line.slice(0, colon), line.slice(colon + 2)] as const
      }),
    )
    const name = fields.get('event')
    if (name === 'connected') started.resolve()
    const data: unknown = JSON.parse(fields.get('data') || 'null')
    if (name === 'serialized-error') queue.end(readReason(data))
    const id = fields.get('id')
    if (id !== undefined) queue.push({ ...(data as Omit<TailedEntry, 'id'>), id })
  }
  void read().catch(() => queue.end('aborted'))
  await started.promise
  return {
    ...queue,
    async [Symbol.asyncDispose]() {
      abort.abort()
      await queue.ended
    },
  }
}

function readReason(error: unknown): string {
  const { data } = error as { readonly data?: { readonly reason?: string } }
  return data?.reason ?? 'unknown'
}
