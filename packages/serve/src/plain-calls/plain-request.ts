// Decides whether a request is a plain call, a query or a mutation as JSON, and reads what it asks for.
// Whatever is unusual in any way is not: tRPC's own adapter answers it, slower and just as well.
import type { AnyTRPCProcedure, AnyTRPCRouter } from '@trpc/server'
import type { IncomingMessage } from 'node:http'
import { createProcedureRunner, type RunProcedure } from './procedure-runner.ts'

/** A query or a mutation, or a batch of them. The body of a POST has yet to be read. */
export type PlainRequest = {
  readonly method: 'GET' | 'POST'
  readonly isBatch: boolean
  readonly paths: readonly string[]
  /** `undefined` where the router has none of that path. */
  readonly procedures: readonly (AnyTRPCProcedure | undefined)[]
  /** What runs each of them. */
  readonly runners: readonly (RunProcedure | undefined)[]
  /** The `input` of the query string, decoded. */
  readonly queryInput: string | undefined
}

type Query = Pick<PlainRequest, 'isBatch' | 'queryInput'>

/** Paths that no URL parser would change, so that none is needed. */
const CLEAN_PATH = /^\w[\w.,-]*$/

/**
 * Creates the reader for one router. It answers `undefined` for what is not a plain call.
 *
 * @param prefix of the URLs of procedures, with a slash at both ends
 */
export function createPlainRequestReader(
  router: AnyTRPCRouter,
  prefix: string,
): (req: IncomingMessage) => PlainRequest | undefined {
  // A separator of the router's own choice changes what a path means.
  const isUsual = router._def._config.pathSeparator === '.'
  const known: Readonly<Record<string, AnyTRPCProcedure>> = router._def.procedures
  const lazy: Readonly<Record<string, unknown>> = router._def.lazy
  const runners = new Map<AnyTRPCProcedure, RunProcedure>()
  let goodHost = ''

  function getRunner(procedure: AnyTRPCProcedure): RunProcedure {
    const runner = runners.get(procedure) ?? createProcedureRunner(procedure)
    runners.set(procedure, runner)
    return runner
  }

  /** Whether a URL can be made with it: callers of one agent mostly name it alike. */
  function isHost(host = 'localhost'): boolean {
    if (host === goodHost) return true
    if (host.includes('@') || !URL.canParse(`http://${host}`)) return false
    goodHost = host
    return true
  }

  return (req) => {
    const { method, url = '' } = req
    if (!isUsual || (method !== 'GET' && method !== 'POST')) return undefined
    if (!url.startsWith(prefix) || url.includes('#') || !isJson(req)) return undefined
    if (!isHost(req.headers.host)) return undefined
    const mark = url.indexOf('?')
    const path = url.slice(prefix.length, mark === -1 ? undefined : mark)
    if (!CLEAN_PATH.test(path)) return undefined
    const query = mark === -1 ? NO_QUERY : readQuery(url.slice(mark + 1))
    if (query === undefined) return undefined
    const paths = query.isBatch ? path.split(',') : [path]
    const procedures: (AnyTRPCProcedure | undefined)[] = []
    const runners: (RunProcedure | undefined)[] = []
    for (const name of paths) {
      const procedure = Object.hasOwn(known, name) ? known[name] : undefined
      if (procedure?._def.type === 'subscription') return undefined
      if (procedure === undefined && !isEmpty(lazy)) return undefined
      procedures.push(procedure)
      runners.push(procedure && getRunner(procedure))
    }
    const { isBatch, queryInput } = query
    return { method, paths, procedures, runners, isBatch, queryInput }
  }
}

/** Whether the body, if any, is JSON and the answer is to be JSON at once, not a stream of lines. */
function isJson({ headers, method }: IncomingMessage): boolean {
  if (headers['trpc-accept'] !== undefined) return false
  if (headers.accept?.includes('application/jsonl') === true) return false
  const type = headers['content-type']
  if (type === 'application/json') return true
  if (type === undefined) return method === 'GET'
  return type.toLowerCase().split(';', 1)[0]?.trim() === 'application/json'
}

const NO_QUERY: Query = { isBatch: false, queryInput: undefined }

const BATCH = 'batch=1'
const INPUT = 'input='

function readQuery(text: string): Query | undefined {
  if (text === BATCH) return { isBatch: true, queryInput: undefined }
  const isBatch = text.startsWith(`${BATCH}&`)
  const rest = isBatch ? text.slice(BATCH.length + 1) : text
  if (rest.startsWith(INPUT) && !rest.includes('&')) {
    const queryInput = decode(rest.slice(INPUT.length))
    if (queryInput !== undefined) return { isBatch, queryInput }
  }
  const parameters = new URLSearchParams(text)
  if (parameters.has('connectionParams')) return undefined
  const queryInput = parameters.get('input') ?? undefined
  return { isBatch: parameters.get('batch') === '1', queryInput }
}

/** `undefined` for what only `URLSearchParams` can make sense of. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.includes('+') ? text.replaceAll('+', ' ') : text)
  } catch {
    return undefined
  }
}

function isEmpty(record: Readonly<Record<string, unknown>>): boolean {
  for (const _ in record) return false
  return true
}
