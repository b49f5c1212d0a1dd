import {
  getTRPCErrorFromUnknown,
  TRPCError,
  type AnyTRPCRouter,
  type TRPCProcedureType,
} from '@trpc/server'
import type { CallInputs } from './call-inputs.ts'
import type { PlainRequest } from './plain-request.ts'

/** How one call ended. */
export type CallOutcome =
  | { readonly error: TRPCError }
  | { readonly error: undefined; readonly data: unknown }

/** What `createContext` answered or threw: its error is each call's own. */
export type CreatedContext = { readonly error: TRPCError | undefined; readonly value: unknown }

export type CallRun = {
  readonly router: AnyTRPCRouter
  readonly plain: PlainRequest
  readonly inputs: CallInputs
  readonly signal: AbortSignal
  readonly context: CreatedContext
  /** What a middleware turned the whole request down with. */
  readonly refusal: TRPCError | undefined
  readonly allowMethodOverride: boolean
  /** Told of the methods that a procedure takes when it was called by another. */
  readonly onWrongMethod: (allow: string) => void
  readonly onError: (index: number, error: TRPCError) => void
}

/** Which methods procedures take: never GET for a mutation. */
const METHODS: Readonly<Record<TRPCProcedureType, string>> = {
  mutation: 'POST',
  query: 'GET',
  subscription: 'GET',
}

/** The same where a query may come by POST. */
const METHODS_WITH_OVERRIDE: Readonly<Record<TRPCProcedureType, string>> = {
  mutation: 'POST',
  query: 'GET, POST',
  subscription: 'GET, POST',
}

/** Runs all calls of a request at once. Never rejects. */
export async function runCalls(run: CallRun): Promise<readonly CallOutcome[]> {
  const { paths } = run.plain
  if (paths.length === 1) return [await runCall(run, 0)]
  return Promise.all(paths.map(async (_, index) => runCall(run, index)))
}

async function runCall(run: CallRun, index: number): Promise<CallOutcome> {
  const { inputs, plain } = run
  const path = plain.paths[index] ?? ''
  try {
    if (run.refusal !== undefined) throw run.refusal
    const procedure = plain.procedures[index]
    if (procedure === undefined) {
      throw new TRPCError({
        code: 'NOT_FOUND',
        message: `No procedure found on path "${path}"`,
      })
    }
    const { type } = procedure._def
    checkMethod(run, { path, type })
    if (run.context.error !== undefined) throw run.context.error
    const data = await plain.runners[index]?.({
      router: run.router,
      path,
      getRawInput: async () => inputs.read(index),
      ctx: run.context.value,
      type,
      signal: run.signal,
      batchIndex: index,
    })
    return { error: undefined, data }
  } catch (cause) {
    const error = getTRPCErrorFromUnknown(cause)
    run.onError(index, error)
    return { error }
  }
}

function checkMethod(
  { allowMethodOverride, onWrongMethod, plain }: CallRun,
  { path, type }: { readonly path: string; readonly type: TRPCProcedureType },
): void {
  const allowed = allowMethodOverride ? METHODS_WITH_OVERRIDE[type] : METHODS[type]
  if (allowed.includes(plain.method)) return
  // > The origin server MUST generate an Allow header field in a 405 response (RFC 9110 §15.5.6)
  onWrongMethod(allowed)
  throw new TRPCError({
    code: 'METHOD_NOT_SUPPORTED',
    message: `Unsupported ${plain.method}-request to ${type} procedure at path "${path}"`,
  })
}

/** Whether a result would have to be streamed: it is a stream, or has one, or a promise, as a member. */
export function isStreamed(data: unknown): boolean {
  if (!isObject(data)) return false
  return Symbol.asyncIterator in data || Object.values(data).some(isPending)
}

function isPending(value: unknown): boolean {
  if (typeof value === 'function' || isObject(value)) {
    if (hasMethod(value, 'then') && hasMethod(value, 'catch')) return true
  }
  return isObject(value) && Symbol.asyncIterator in value
}

function hasMethod(value: object, name: string): boolean {
  return typeof Reflect.get(value, name) === 'function'
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
