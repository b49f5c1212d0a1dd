// Subscriptions over HTTP, as server-sent events. With `fetch` rather than `EventSource`: that of browsers cannot
// send an `Authorization` header, and connects again by itself, with the token that has ended.
import { TRPCClientError, type Operation, type TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { observable } from '@trpc/server/observable'
import { readAuthorization } from './auth-link.ts'
import type { Authorization } from './authorization.ts'
import { ClientError } from './error/client-error.ts'
import { readRetryAfter } from './error/retry-after.ts'
import { toClientError } from './error/to-client-error.ts'
import { openEventStream, type EventStream } from './event-stream.ts'
import { toInputText } from './input-text.ts'
import type { FetchLike, FetchLikeAnswer } from './fetch-like.ts'
import { MAX_URL_CHARS, sendRequest, type HttpRequest } from './http-request.ts'
import { readProgress } from './links/call-progress.ts'
import { toDeadlineHeaders } from './links/deadline.ts'
import { createStreamCut } from './links/lost-call.ts'
import { toTraceHeaders } from './links/trace-context.ts'
import { noteNonce } from './dpop/note-nonce.ts'

/** Creates the sending link for subscriptions. `url` is that of the agent's tRPC endpoint. */
export function createSseLink<Router extends AnyTRPCRouter>(
  url: string,
  fetchWith: FetchLike,
): TRPCLink<Router> {
  return () =>
    ({ op }) =>
      observable((observer) => {
        const gaveUp = new AbortController()
        const signal = op.signal ? AbortSignal.any([op.signal, gaveUp.signal]) : gaveUp.signal
        const authorization = readAuthorization(op)

        async function subscribe(): Promise<void> {
          const request = { ...toRequest(url, op), signal }
          readProgress(op)?.noteSent()
          for (let attempt = 1; ; attempt += 1) {
            const answer = await sendRequest(fetchWith, authorization, request)
            const stream = await openAnswer(answer)
            try {
              await deliver(stream, observer.next)
              return
            } catch (error) {
              // What was refused for want of a nonce was refused before anything else.
              if (attempt > 1 || !wantsNonce(authorization, request.url, error)) throw error
            } finally {
              stream.close()
            }
          }
        }

        async function run(): Promise<void> {
          try {
            await subscribe()
            observer.complete()
          } catch (error) {
            if (op.signal?.aborted === true) observer.complete()
            else if (!gaveUp.signal.aborted) {
              observer.error(TRPCClientError.from(toClientError(error)))
            }
          }
        }

        void run()
        return () => {
          gaveUp.abort()
        }
      })
}

function wantsNonce(authorization: Authorization, url: string, error: unknown): boolean {
  return noteNonce(authorization, url, toClientError(error))
}

/** By GET, unless the input is too long for a URL. */
function toRequest(url: string, op: Operation): Omit<HttpRequest, 'signal'> {
  const input = toInputText(op.input)
  const headers = {
    accept: 'text/event-stream',
    ...toTraceHeaders([op]),
    ...toDeadlineHeaders([op]),
  }
  const path = `${url}/${op.path}`
  const query = input === undefined ? path : `${path}?input=${encodeURIComponent(input)}`
  if (query.length <= MAX_URL_CHARS) return { url: query, method: 'GET', headers, body: null }
  const json = { ...headers, 'content-type': 'application/json' }
  return { url: path, method: 'POST', headers: json, body: input ?? null }
}

async function openAnswer(answer: FetchLikeAnswer): Promise<EventStream> {
  const { body, headers, ok, status } = answer
  const isStream = headers.get('content-type')?.startsWith('text/event-stream') === true
  if (ok && isStream && body) return openEventStream(body)
  if (ok && isStream) throw new TypeError('a `fetch` for subscriptions must hand on the body')
  const said = await answer.json().catch(() => undefined)
  if (isErrorAnswer(said)) throw TRPCClientError.from(said)
  throw new ClientError({
    code: 'network_error',
    message: `the agent answered ${String(status)}, and no stream of events`,
    hint: 'Check that the agent is running and that its URL is right.',
    status: ok ? undefined : status,
    retryAfterSeconds: readRetryAfter(headers),
  })
}

type ErrorAnswer = Parameters<typeof TRPCClientError.from>[0] & object

function isErrorAnswer(value: unknown): value is ErrorAnswer {
  if (typeof value !== 'object' || value === null || !('error' in value)) return false
  const { error } = value
  return typeof error === 'object' && error !== null && 'data' in error && 'message' in error
}

type Next = (value: {
  result: { type: 'started' } | { type: 'stopped' } | { type: 'data'; id?: string; data: unknown }
}) => void

/** Hands on event after event, until the agent says that there are no more. Rejects when it ends in any other way. */
async function deliver(stream: EventStream, next: Next): Promise<void> {
  for (;;) {
    const message = await stream.next()
    if (message === undefined) throw createStreamCut('the stream was cut')
    const { data, event = 'message', id } = message
    if (event === 'return') {
      next({ result: { type: 'stopped' } })
      return
    }
    if (event === 'connected') {
      const everyMs = readSilence(JSON.parse(data))
      if (everyMs !== undefined) stream.expectSomethingEvery(everyMs)
      next({ result: { type: 'started' } })
    } else if (event === 'serialized-error') {
      const error: unknown = { error: JSON.parse(data) }
      if (isErrorAnswer(error)) throw TRPCClientError.from(error)
      throw new Error('the stream ended with an error that is none of tRPC’s')
    } else if (event === 'message') {
      const value: unknown = JSON.parse(data)
      const tracked = id === undefined || id === '' ? undefined : id
      next({
        result:
          tracked === undefined
            ? { type: 'data', data: value }
            : { type: 'data', id: tracked, data: { id: tracked, data: value } },
      })
    }
  }
}

/** After how much silence an agent wants to be connected to again. */
function readSilence(options: unknown): number | undefined {
  if (typeof options !== 'object' || options === null) return undefined
  const ms: unknown = Reflect.get(options, 'reconnectAfterInactivityMs')
  return typeof ms === 'number' && ms > 0 ? ms : undefined
}
