// Queries and mutations as JSON, one by one or in batches, straight from node:http: a drop-in for tRPC's
// `createHTTPHandler`, which answers everything else. Same wire format, byte for byte; what tRPC's adapter
// spends on web requests, responses and streams is not spent (docs/adr/0021).
import { getTRPCErrorFromUnknown, TRPCError, type AnyTRPCRouter } from '@trpc/server'
import type { CreateHTTPHandlerOptions } from '@trpc/server/adapters/standalone'
import type { TRPCRequestInfo } from '@trpc/server/http'
import type {
  IncomingMessage,
  OutgoingHttpHeaders,
  RequestListener,
  ServerResponse,
} from 'node:http'
import { createAdapter } from './adapter.ts'
import { createCallInputs, type CallInputs } from './call-inputs.ts'
import {
  createAnswer,
  createLastAnswer,
  sendAnswer,
  toErrorAnswer,
  type CallAnswer,
  type ErrorPlace,
  type PlainAnswer,
} from './plain-answer.ts'
import { writeTogether } from '../write-together.ts'
import { createPlainRequestReader, type PlainRequest } from './plain-request.ts'
import { createBodyGuard } from './body-guard.ts'
import { createRequestInfo } from './request-info.ts'
import {
  isStreamed,
  runCalls,
  type CallOutcome,
  type CallRun,
  type CreatedContext,
} from './run-calls.ts'

/** The options of tRPC's `createHTTPHandler`, with the same meaning. */
export type PlainCallOptions = CreateHTTPHandlerOptions<AnyTRPCRouter> & {
  /** How deep JSON may be nested, in what tRPC's adapter answers as well. Default: no limit. */
  readonly maxJsonDepth?: number | undefined
  /** Where the router is, with a slash at both ends, like `/trpc/`. */
  readonly basePath: string
}

/** A request that is a plain call. */
type Exchange = {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly plain: PlainRequest
  /** What a middleware turned it down with. */
  readonly refusal: TRPCError | undefined
}

/** Creates the listener. Never throws. */
export function createPlainCallHandler(options: PlainCallOptions): RequestListener {
  const { basePath, middleware, router } = options
  const adapter = createAdapter(options, (failure) => fail(options, failure))
  const rest = guardRest(options, (req, res) => adapter(req, res))
  const readRequest = createPlainRequestReader(router, basePath)

  function handle(exchange: Omit<Exchange, 'plain'>): void {
    const { refusal, req, res } = exchange
    // A body that a middleware has read already is tRPC's to make sense of.
    const plain = 'body' in req || req.readableEnded ? undefined : readRequest(req)
    if (plain !== undefined) void answer(options, { ...exchange, plain })
    else if (refusal === undefined) rest(req, res)
    else adapter(req, res, refusal)
  }

  if (middleware === undefined) {
    return (req, res) => {
      handle({ req, res, refusal: undefined })
    }
  }
  return (req, res) => {
    // tRPC's adapter turns a URL that is none down before anything else.
    if (!URL.canParse(req.url ?? '', `http://${req.headers.host ?? 'localhost'}`)) {
      rest(req, res)
      return
    }
    try {
      middleware(req, res, (error?: unknown) => {
        const isRefused = error !== undefined && error !== null && error !== false
        handle({ req, res, refusal: isRefused ? getTRPCErrorFromUnknown(error) : undefined })
      })
    } catch (cause) {
      fail(options, { req, res, cause })
    }
  }
}

type Failure = {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly cause: unknown
}

/** Answers where what shapes answers, or what stands before it, has failed itself. */
function fail(options: PlainCallOptions, { cause, req, res }: Failure): void {
  const error = getTRPCErrorFromUnknown(cause)
  report(options, { req, error, ctx: undefined, ...NOWHERE })
  sendAnswer(res, createLastAnswer(options.router, cause))
}

/** What tRPC's adapter would parse by itself is measured before. */
function guardRest(options: PlainCallOptions, rest: RequestListener): RequestListener {
  const { maxBodySize: maxBodyBytes = Number.POSITIVE_INFINITY, maxJsonDepth } = options
  if (maxJsonDepth === undefined) return rest
  const guard = createBodyGuard({ maxBodyBytes, maxJsonDepth })
  const answerRest = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    try {
      await guard(req)
      rest(req, res)
    } catch (cause) {
      fail(options, { req, res, cause })
    }
  }
  return (req, res) => {
    void answerRest(req, res)
  }
}

const NOWHERE = { type: 'unknown', path: undefined, input: undefined } as const

async function answer(options: PlainCallOptions, exchange: Exchange): Promise<void> {
  const { req, res } = exchange
  try {
    const plain = await createPlainAnswer(options, exchange)
    writeTogether(() => {
      try {
        sendAnswer(res, plain)
      } catch (cause) {
        fail(options, { req, res, cause })
      }
    })
  } catch (cause) {
    fail(options, { req, res, cause })
  }
}

async function createPlainAnswer(
  options: PlainCallOptions,
  exchange: Exchange,
): Promise<PlainAnswer> {
  const { plain, req, res } = exchange
  const { responseMeta, router } = options
  const { transformer } = router._def._config
  const headers: OutgoingHttpHeaders = { vary: 'trpc-accept, accept' }
  const maxBodyBytes = options.maxBodySize ?? Number.POSITIVE_INFINITY
  const maxJsonDepth = options.maxJsonDepth ?? Number.POSITIVE_INFINITY
  const inputs = createCallInputs({ req, plain, transformer, maxBodyBytes, maxJsonDepth })
  const caller = watchCaller(res)
  const { signal } = caller
  let info: TRPCRequestInfo | undefined
  let context: CreatedContext = { error: undefined, value: undefined }
  try {
    info = createRequestInfo({ req, plain, inputs, signal, maxBatchSize: options.maxBatchSize })
    if (plain.isBatch && (options.allowBatching ?? options.batching?.enabled) === false) {
      const message = 'Batching is not enabled on the server'
      throw new TRPCError({ code: 'BAD_REQUEST', message })
    }
    context = await createContext(options, { req, res, info, abort: caller.abort })
    const run: CallRun = {
      router,
      plain,
      inputs,
      signal,
      context,
      refusal: exchange.refusal,
      allowMethodOverride: options.allowMethodOverride ?? false,
      onWrongMethod(allow) {
        headers['allow'] = allow
      },
      onError(index, error) {
        report(options, { req, error, ctx: context.value, ...placeOf(exchange, inputs, index) })
      },
    }
    const outcomes = await runCalls(run)
    headers['content-type'] = 'application/json'
    const kept = outcomes.map((outcome) => refuseStream(outcome, plain.isBatch))
    const answers = kept.map((outcome, index): CallAnswer => {
      if (outcome.error === undefined) return { result: { data: outcome.data } }
      const place = placeOf(exchange, inputs, index)
      return toErrorAnswer({ router, ctx: context.value }, outcome.error, place)
    })
    const errors = kept.map(({ error }) => error)
    const [first] = answers
    const isOne = !plain.isBatch && first !== undefined
    const { paths } = plain
    const shared = { router, responseMeta, ctx: context.value, info, paths, headers }
    return createAnswer(shared, isOne ? first : answers, errors)
  } catch (cause) {
    // A fault of the whole request, or of what it was answered with.
    const error = getTRPCErrorFromUnknown(cause)
    const place = { type: info?.type ?? 'unknown', path: undefined, input: undefined } as const
    const ctx = context.value
    report(options, { req, error, ctx, ...place })
    const answer = toErrorAnswer({ router, ctx }, error, place)
    // What a web `Response` says of a text, and so does tRPC's adapter.
    headers['content-type'] ??= 'text/plain;charset=UTF-8'
    const { paths } = plain
    return createAnswer({ router, responseMeta, ctx, info, paths, headers }, answer, [error])
  }
}

/** A signal that says that the caller has gone away before it was answered. */
function watchCaller(res: ServerResponse): Caller {
  const controller = new AbortController()
  res.on('close', () => {
    if (!res.writableEnded) controller.abort()
  })
  return {
    signal: controller.signal,
    abort: (reason) => {
      controller.abort(reason)
    },
  }
}

type Caller = { readonly signal: AbortSignal; readonly abort: (reason: Error) => void }

async function createContext(
  options: PlainCallOptions,
  request: {
    readonly req: IncomingMessage
    readonly res: ServerResponse
    readonly info: TRPCRequestInfo
    /** Of Deputy's own contexts, which end a call before its caller gives up. */
    readonly abort: Caller['abort']
  },
): Promise<CreatedContext> {
  try {
    const created: unknown = options.createContext?.({ ...options, ...request })
    return { error: undefined, value: created instanceof Promise ? await created : created }
  } catch (cause) {
    return { error: getTRPCErrorFromUnknown(cause), value: undefined }
  }
}

function refuseStream(outcome: CallOutcome, isBatch: boolean): CallOutcome {
  if (outcome.error !== undefined || !isStreamed(outcome.data)) return outcome
  const message =
    'Cannot use stream-like response in non-streaming request - use httpBatchStreamLink'
  const error = new TRPCError({ code: 'UNSUPPORTED_MEDIA_TYPE', message })
  if (!isBatch) throw error
  return { error }
}

function placeOf(
  { plain: { paths, procedures } }: Exchange,
  inputs: CallInputs,
  index: number,
): ErrorPlace {
  const type = procedures[index]?._def.type ?? 'unknown'
  return { type, path: paths[index], input: inputs.peek(index) }
}

type Report = ErrorPlace & {
  readonly req: IncomingMessage
  readonly error: TRPCError
  readonly ctx: unknown
}

function report(options: PlainCallOptions, found: Report): void {
  options.onError?.(found)
}
