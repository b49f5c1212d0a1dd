import { readTraceId } from '../protocol/index.ts'

/** The trace of a call, and the header with which further calls go on in it. */
export type CallTrace = { readonly traceId: string; readonly traceparent: string }

/**
 * The trace that a caller names, or a new one:
 * > If the vendor failed to parse traceparent […] the vendor creates a new traceparent header (W3C Trace Context §4.3).
 * The id of a new trace is that of the request, so that the two are found by one another; it is not sampled.
 */
export function readCallTrace(traceparent: string | undefined, correlationId: string): CallTrace {
  const given = readTraceId(traceparent)
  if (given !== undefined && traceparent !== undefined) return { traceId: given, traceparent }
  const digits = correlationId.replaceAll('-', '').toLowerCase()
  const isId = /^[0-9a-f]{32}$/.test(digits)
  const traceId = isId ? digits : crypto.randomUUID().replaceAll('-', '')
  return { traceId, traceparent: `00-${traceId}-${traceId.slice(0, 16)}-00` }
}
