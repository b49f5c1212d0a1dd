// Calls of the same moment that share a token share a request, in the wire format of tRPC's `httpBatchLink`. That
// link measures the whole batch again for each call that joins it, makes two abort controllers for each, and
// waits a millisecond; and where one input cannot be written as JSON, every call of its batch fails.
import { TRPCClientError, type Operation, type OperationLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { observable } from '@trpc/server/observable'
import { toClientError } from './error/to-client-error.ts'
import type { FetchLikeAnswer } from './fetch-like.ts'
import { toInputText } from './input-text.ts'
import { MAX_URL_CHARS, type HttpRequest } from './http-request.ts'
import { readProgress } from './links/call-progress.ts'
import { toDeadlineHeaders } from './links/deadline.ts'
import { toTraceHeaders } from './links/trace-context.ts'
import { splitBatch } from './split-batch.ts'

/** One answer of a batch, as tRPC's link hands it on. */
type CallAnswer = {
  readonly context: Record<string, unknown>
  readonly result: { readonly type: 'data'; readonly data: unknown }
}

type Batch = { waiting: number; readonly gaveUp: AbortController }

type Waiting = {
  readonly op: Operation
  /** Its input as JSON, in a URL where it is a query; `undefined` where there is none. */
  readonly input: string | undefined
  batch: Batch | undefined
  isOver: boolean
  answer(value: CallAnswer): void
  fail(error: unknown): void
}

/** In Node once everything that came in at the same time was read; elsewhere once its readers have all called. */
const soon: (run: () => void) => void =
  typeof setImmediate === 'function'
    ? (run) => void setImmediate(run)
    : (run) => queueMicrotask(() => queueMicrotask(run))

/** Creates the sending link of one authorization. `url` is that of the agent's tRPC endpoint. */
export function createBatchLink<Router extends AnyTRPCRouter>(
  url: string,
  send: (request: HttpRequest) => Promise<FetchLikeAnswer>,
): OperationLink<Router> {
  let queue: Waiting[] = []

  function join(item: Waiting): void {
    queue.push(item)
    if (queue.length === 1) soon(flush)
  }

  function flush(): void {
    const items = queue.filter(({ isOver }) => !isOver)
    queue = []
    const queries = items.filter(({ op }) => op.type === 'query')
    const mutations = items.filter(({ op }) => op.type === 'mutation')
    for (const batch of splitQueries(url, queries)) void dispatch(batch, toQueries(url, batch))
    for (const batch of splitBatch(mutations, { toChars })) {
      void dispatch(batch, toMutations(url, batch))
    }
  }

  async function dispatch(items: readonly Waiting[], request: Request): Promise<void> {
    const gaveUp = new AbortController()
    const batch = { waiting: items.length, gaveUp }
    for (const item of items) {
      item.batch = batch
      readProgress(item.op)?.noteSent()
    }
    const ops = items.map(({ op }) => op)
    const headers = { ...request.headers, ...toTraceHeaders(ops), ...toDeadlineHeaders(ops) }
    try {
      const response = await send({ ...request, headers, signal: gaveUp.signal })
      const said = await readAnswer(response)
      for (const [at, item] of items.entries()) {
        settle(item, Array.isArray(said) ? said[at] : said, response)
      }
    } catch (error) {
      for (const item of items) item.fail(error)
    }
  }

  return ({ op }) =>
    observable((observer) => {
      const input = toText(op)
      if (input instanceof Error) {
        observer.error(TRPCClientError.from(toClientError(input)))
        return undefined
      }
      const item: Waiting = {
        op,
        input,
        batch: undefined,
        isOver: false,
        answer(value) {
          leave(item)
          observer.next(value)
          observer.complete()
        },
        fail(error) {
          leave(item)
          observer.error(TRPCClientError.from(toClientError(error)))
        },
      }
      join(item)
      return () => {
        leave(item)
      }
    })
}

/** A request that nobody waits for any more is ended. */
function leave(item: Waiting): void {
  if (item.isOver) return
  item.isOver = true
  const { batch } = item
  if (batch === undefined) return
  batch.waiting -= 1
  if (batch.waiting === 0) batch.gaveUp.abort()
}

function toText({ input, type }: Operation): string | undefined | Error {
  try {
    const text = toInputText(input)
    return text === undefined || type === 'mutation' ? text : encodeURIComponent(text)
  } catch (cause) {
    return cause instanceof Error ? cause : new TypeError('the input cannot be written as JSON')
  }
}

/** Characters around one input, in a URL the most: its place, quotes, a comma, a colon. */
const AROUND_INPUT_CHARS = 16

function toChars({ input, op }: Waiting): number {
  return op.path.length + (input?.length ?? 0) + AROUND_INPUT_CHARS
}

/** Parts queries so that none has a URL that is too long. */
function splitQueries(url: string, items: readonly Waiting[]): Waiting[][] {
  const headChars = url.length + AROUND_INPUT_CHARS
  return splitBatch(items, { toChars, headChars, maxChars: MAX_URL_CHARS })
}

type Request = Omit<HttpRequest, 'signal'>

const toPath = (url: string, items: readonly Waiting[]): string =>
  `${url}/${items.map(({ op }) => op.path).join(',')}?batch=1`

function toQueries(url: string, items: readonly Waiting[]): Request {
  const inputs = items.flatMap(({ input }, at) =>
    input === undefined ? [] : [`%22${String(at)}%22%3A${input}`],
  )
  const path = toPath(url, items)
  const whole = `${path}&input=%7B${inputs.join('%2C')}%7D`
  if (whole.length <= MAX_URL_CHARS) return { url: whole, method: 'GET', headers: {}, body: null }
  // One call alone, whose input is too long for a URL.
  const body = `{${inputs.map((input) => decodeURIComponent(input)).join(',')}}`
  return { url: path, method: 'POST', headers: JSON_BODY, body }
}

const JSON_BODY = { 'content-type': 'application/json' }

function toMutations(url: string, items: readonly Waiting[]): Request {
  const inputs = items.flatMap(({ input }, at) =>
    input === undefined ? [] : [`"${String(at)}":${input}`],
  )
  return {
    url: toPath(url, items),
    method: 'POST',
    headers: JSON_BODY,
    body: `{${inputs.join(',')}}`,
  }
}

async function readAnswer(response: FetchLikeAnswer): Promise<unknown> {
  try {
    return await response.json()
  } catch (cause) {
    throw TRPCClientError.from(toError(cause), { meta: { response } })
  }
}

function settle(item: Waiting, said: unknown, response: FetchLikeAnswer): void {
  if (item.isOver) return
  if (isObject(said) && isObject(said['result'])) {
    const data: unknown = said['result']['data']
    item.answer({ context: { response }, result: { type: 'data', data } })
  } else if (isObject(said) && isObject(said['error'])) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- read as unknown by whoever looks at it
    item.fail(TRPCClientError.from(said as never, { meta: { response } }))
  } else {
    const message = `${item.op.path} was answered otherwise than by tRPC`
    item.fail(TRPCClientError.from(new Error(message), { meta: { response } }))
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function toError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error('the answer cannot be read')
}
