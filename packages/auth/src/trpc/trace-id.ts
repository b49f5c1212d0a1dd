import { readTraceId } from '../protocol/index.ts'

/**
 * The trace that a caller names, or a new one:
 * > If the vendor failed to parse traceparent […] the vendor creates a new traceparent header (W3C Trace Context §4.3).
 * The id of a new trace is that of the request, so that the two are found by one another.
 */
export function createTraceId(traceparent: string | undefined, correlationId: string): string {
  const given = readTraceId(traceparent)
  if (given !== undefined) return given
  const digits = correlationId.replaceAll('-', '').toLowerCase()
  return /^[0-9a-f]{32}$/.test(digits) ? digits : crypto.randomUUID().replaceAll('-', '')
}
