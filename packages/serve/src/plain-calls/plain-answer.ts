// The answer to plain calls, as tRPC's own adapter writes it: status, header fields, body.
import {
  getTRPCErrorFromUnknown,
  getTRPCErrorShape,
  type AnyTRPCRouter,
  type TRPCError,
  type TRPCErrorShape,
  type TRPCProcedureType,
} from '@trpc/server'
import { getHTTPStatusCode, type ResponseMetaFn, type TRPCRequestInfo } from '@trpc/server/http'
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'

export type PlainAnswer = {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: string
}

/** A call that was answered, or an error: as both sides of tRPC write them, before its transformer. */
export type CallAnswer =
  | { readonly result: { readonly data: unknown } }
  | { readonly error: TRPCErrorShape }

export type AnswerOptions = {
  readonly router: AnyTRPCRouter
  readonly responseMeta: ResponseMetaFn<AnyTRPCRouter> | undefined
  readonly ctx: unknown
  /** `undefined` for a request that was not understood. */
  readonly info: TRPCRequestInfo | undefined
  readonly paths: readonly string[]
  /** Those that are known so far, with lower-case names. */
  readonly headers: OutgoingHttpHeaders
}

export type ErrorPlace = {
  readonly type: TRPCProcedureType | 'unknown'
  readonly path: string | undefined
  readonly input: unknown
}

/** What an error becomes for the caller. */
export function toErrorAnswer(
  { ctx, router }: Pick<AnswerOptions, 'ctx' | 'router'>,
  error: TRPCError,
  place: ErrorPlace,
): { readonly error: TRPCErrorShape } {
  return { error: getTRPCErrorShape({ config: router._def._config, ctx, error, ...place }) }
}

/**
 * Puts the answer to a request together. Throws what a transformer or `responseMeta` throws.
 *
 * @param answers one, or those of a batch
 * @param errors in the same order
 */
export function createAnswer(
  options: AnswerOptions,
  answers: CallAnswer | CallAnswer[],
  errors: readonly (TRPCError | undefined)[],
): PlainAnswer {
  const { ctx, headers, info, paths, responseMeta, router } = options
  const data = Array.isArray(answers) ? answers : [answers]
  const found = errors.filter((error) => error !== undefined)
  const meta = responseMeta?.({
    ctx,
    info,
    paths: info && paths,
    data,
    errors: found,
    eagerGeneration: false,
    type: info?.type ?? 'unknown',
  })
  if (meta?.headers !== undefined) addHeaders(headers, meta.headers)
  const status = meta?.status ?? getHTTPStatusCode(data, errors)
  const body = Array.isArray(answers)
    ? answers.map((answer) => toWire(router, answer))
    : toWire(router, answers)
  return { status, headers, body: JSON.stringify(body) }
}

/** An answer as the router's transformer writes it. */
function toWire(router: AnyTRPCRouter, answer: CallAnswer): object {
  const { output } = router._def._config.transformer
  return 'error' in answer
    ? { error: output.serialize(answer.error) }
    : { result: { data: output.serialize(answer.result.data) } }
}

function addHeaders(
  target: OutgoingHttpHeaders,
  added: Headers | Readonly<Record<string, string | string[] | undefined>>,
): void {
  if (isHeaders(added)) {
    for (const [name, value] of added) append(target, name, value)
    return
  }
  for (const [name, value] of Object.entries(added)) {
    if (typeof value === 'string') target[name.toLowerCase()] = value
    else for (const one of value ?? []) append(target, name.toLowerCase(), one)
  }
}

/** By form: to name `Headers` is to have Node load its HTTP client, which no call needs (docs/adr/0049). */
function isHeaders(added: object): added is Headers {
  return Symbol.iterator in added
}

function append(target: OutgoingHttpHeaders, name: string, value: string): void {
  const before = target[name]
  if (before === undefined) target[name] = name === 'set-cookie' ? [value] : value
  else if (Array.isArray(before)) before.push(value)
  else target[name] = `${String(before)}, ${value}`
}

/** Sends the answer, unless nobody is there any more or something was sent before. */
export function sendAnswer(res: ServerResponse, answer: PlainAnswer): void {
  if (res.destroyed || res.headersSent) return
  const { body, headers, status } = answer
  headers['content-length'] = Buffer.byteLength(body)
  // A procedure that set a status of its own keeps it.
  res.writeHead(res.statusCode === 200 ? status : res.statusCode, headers)
  res.end(body)
}

/** Where not even the error can be put into words by the router. */
const BARE_ERROR: TRPCErrorShape = {
  code: -32_603,
  message: 'Internal server error',
  data: { code: 'INTERNAL_SERVER_ERROR', httpStatus: 500 },
}

/** The answer when what shapes answers has failed itself. */
export function createLastAnswer(router: AnyTRPCRouter, cause: unknown): PlainAnswer {
  const place = { type: 'unknown', path: undefined, input: undefined } as const
  const shape = ((): TRPCErrorShape => {
    try {
      return toErrorAnswer({ router, ctx: undefined }, getTRPCErrorFromUnknown(cause), place).error
    } catch {
      return BARE_ERROR
    }
  })()
  const body = JSON.stringify(toWire(router, { error: shape }))
  return { status: readStatus(shape), headers: {}, body }
}

function readStatus({ data }: TRPCErrorShape): number {
  const status: unknown =
    typeof data === 'object' && data !== null ? Reflect.get(data, 'httpStatus') : 0
  return typeof status === 'number' ? status : 500
}
