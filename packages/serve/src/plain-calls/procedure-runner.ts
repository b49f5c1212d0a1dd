// Runs a procedure: its middlewares one inside the other, as tRPC's own caller does, which copies all that a
// middleware is given three times for each of them. That took more of a call than all of Deputy's own checks (ADR 0034).
import {
  callTRPCProcedure,
  getTRPCErrorFromUnknown,
  TRPCError,
  type AnyTRPCProcedure,
  type AnyTRPCRouter,
  type TRPCProcedureType,
} from '@trpc/server'

/** A call of a procedure, as `callTRPCProcedure` takes it. */
export type ProcedureCall = {
  readonly router: AnyTRPCRouter
  readonly path: string
  readonly getRawInput: () => Promise<unknown>
  readonly ctx: unknown
  readonly type: TRPCProcedureType
  readonly signal: AbortSignal
  readonly batchIndex: number
}

/** Answers what the procedure does, or rejects with what it throws. */
export type RunProcedure = (call: ProcedureCall) => Promise<unknown>

/** What changes from one middleware to the next. */
type State = Pick<ProcedureCall, 'ctx' | 'getRawInput'> & { readonly input: unknown }

type Next = {
  readonly ctx?: unknown
  readonly input?: unknown
  readonly getRawInput?: ProcedureCall['getRawInput'] | undefined
}

type Step =
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly error: unknown }

type MiddlewareOptions = ProcedureCall &
  State & { readonly meta: unknown; readonly next: (changes?: Next) => Promise<Step | undefined> }

type Middleware = (options: MiddlewareOptions) => Promise<Step | undefined>

/**
 * Creates the runner of one procedure. Where tRPC keeps middlewares in another way than it does today, or has a
 * caller of its own for the procedure, tRPC runs it.
 */
export function createProcedureRunner(procedure: AnyTRPCProcedure): RunProcedure {
  const definition: object = procedure._def
  const found: unknown = Reflect.get(definition, 'middlewares')
  const isOwnCaller = Reflect.get(definition, 'experimental_caller') === true
  return isOwnCaller || !isMiddlewares(found)
    ? callTRPCProcedure
    : createRunner(found, procedure._def.meta)
}

function createRunner(middlewares: readonly Middleware[], meta: unknown): RunProcedure {
  async function step(call: ProcedureCall, index: number, state: State): Promise<Step | undefined> {
    try {
      const { batchIndex, path, router, signal, type } = call
      const { ctx, getRawInput, input } = state
      return await middlewares[index]?.({
        router,
        path,
        getRawInput,
        ctx,
        type,
        signal,
        batchIndex,
        meta,
        input,
        // Not async, as tRPC's is not: calls of a batch end in the order in which they would there.
        next: (changes) => step(call, index + 1, change(state, changes)),
      })
    } catch (cause) {
      return { ok: false, error: getTRPCErrorFromUnknown(cause) }
    }
  }

  return async (call) => {
    const { ctx, getRawInput } = call
    const result = await step(call, 0, { ctx, getRawInput, input: undefined })
    if (result === undefined) throw noResult()
    if (!result.ok) throw result.error
    return result.data
  }
}

function isMiddlewares(value: unknown): value is readonly Middleware[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'function')
}

function change(state: State, changes: Next | undefined): State {
  if (changes === undefined) return state
  const { ctx, getRawInput } = changes
  return {
    ctx: isObject(ctx) ? { ...(isObject(state.ctx) ? state.ctx : {}), ...ctx } : state.ctx,
    input: 'input' in changes ? changes.input : state.input,
    getRawInput: getRawInput ?? state.getRawInput,
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function noResult(): TRPCError {
  return new TRPCError({
    code: 'INTERNAL_SERVER_ERROR',
    message: 'No result from middlewares - did you forget to `return next()`?',
  })
}
