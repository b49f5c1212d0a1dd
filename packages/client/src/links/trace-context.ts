// Trace context (W3C Trace Context, level 1): who looks at a call's trace finds it on both sides.
import type { Operation, TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'

/** The headers of a trace. `traceparent` is `00-<trace id>-<span id>-<flags>`. */
export type TraceContext = {
  readonly traceparent: string
  readonly tracestate?: string | undefined
}

/**
 * Says in which trace a call is made; asked when the call is made, so that it is that of the caller's own
 * span. With OpenTelemetry: what `propagation.inject` writes. Without one, or with `undefined`, a
 * call is in the trace of the call that it is made for, and otherwise each request begins a trace of its own.
 */
export type GetTraceContext = () => TraceContext | undefined

const TRACEPARENT = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/
const TRACESTATE = /^[\x20-\x7e]{1,512}$/

/** Name of the trace in an operation's context. */
const CONTEXT_KEY = 'deputyTrace'

/** What an operation's context has of a trace that it is to go on in. */
export function noteTrace(traceparent: string | undefined): Record<string, unknown> {
  return traceparent === undefined ? {} : { [CONTEXT_KEY]: { traceparent } }
}

/**
 * Creates the link that notes the trace of each call: of the moment, of what the call is made for, or of what all calls of the
 * client are made for.
 */
export function createTraceLink<Router extends AnyTRPCRouter>({
  getTraceContext,
  traceparent,
}: {
  readonly getTraceContext?: GetTraceContext | undefined
  readonly traceparent?: string | undefined
}): TRPCLink<Router> {
  const inherited = noteTrace(traceparent)
  return () =>
    ({ next, op }) => {
      const current = getTraceContext?.()
      const noted = current === undefined ? {} : { [CONTEXT_KEY]: current }
      return next({ ...op, context: { ...inherited, ...op.context, ...noted } })
    }
}

/** The headers of a request: the trace of its first call that has one. What is malformed is not sent. */
export function toTraceHeaders(ops: readonly Pick<Operation, 'context'>[]): Record<string, string> {
  for (const { context } of ops) {
    const trace = context[CONTEXT_KEY]
    if (!isTraceContext(trace)) continue
    const { traceparent, tracestate } = trace
    const isSent = tracestate !== undefined && TRACESTATE.test(tracestate)
    return { traceparent, ...(isSent ? { tracestate } : {}) }
  }
  return { traceparent: createTraceparent() }
}

function isTraceContext(value: unknown): value is TraceContext {
  if (typeof value !== 'object' || value === null || !('traceparent' in value)) return false
  return typeof value.traceparent === 'string' && TRACEPARENT.test(value.traceparent)
}

/** Not sampled: whoever is called decides. */
function createTraceparent(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24))
  let hex = ''
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return `00-${hex.slice(0, 32)}-${hex.slice(32)}-00`
}
