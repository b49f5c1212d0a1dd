// Spans by OpenTelemetry's API: they go nowhere unless the process registers an SDK, which may be done at any time.
import {
  context,
  isSpanContextValid,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api'

export type SpanOptions = {
  /** The name of who makes it. */
  readonly tracer: string
  readonly name: string
  readonly attributes?: Attributes | undefined
  /** The trace that it belongs to where no other span is active: a call's `traceparent`. */
  readonly traceparent?: string | undefined
}

/**
 * Runs work within a span, which is that of everything that the work begins. The span ends with the work, as an error when it
 * throws; what it throws is not written to it, since it may tell of what is nobody else's.
 */
export async function runInSpan<Value>(
  { attributes = {}, name, tracer, traceparent }: SpanOptions,
  run: (span: Span) => Promise<Value>,
): Promise<Value> {
  const parent = findParent(traceparent)
  const span = trace.getTracer(tracer).startSpan(name, { attributes }, parent)
  try {
    return await context.with(trace.setSpan(parent, span), async () => run(span))
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR })
    throw error
  } finally {
    span.end()
  }
}

/**
 * The header with which a call goes on in the active span, for `getTraceContext` of clients; `undefined` without one, or where
 * the process has no SDK.
 */
export function readTraceContext(): { traceparent: string; tracestate?: string } | undefined {
  const span = trace.getSpanContext(context.active())
  if (span === undefined || !isSpanContextValid(span) || span.isRemote === true) return undefined
  const { spanId, traceFlags, traceId, traceState } = span
  const state = traceState?.serialize()
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    ...(state === undefined || state === '' ? {} : { tracestate: state }),
  }
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/

function findParent(traceparent: string | undefined): Context {
  const active = context.active()
  if (traceparent === undefined || trace.getSpan(active) !== undefined) return active
  const [, traceId = '', spanId = ''] = TRACEPARENT.exec(traceparent) ?? []
  // Whether it is recorded is decided here, whatever the caller's flag says: most callers have no SDK, and say that they do
  // not record theirs.
  const parent = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true }
  return isSpanContextValid(parent) ? trace.setSpanContext(active, parent) : active
}
