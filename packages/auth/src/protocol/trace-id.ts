// The trace that a request belongs to (W3C Trace Context §3.2).

/** The trace id of a `traceparent`: 32 hexadecimal digits. `undefined` for none, a malformed one and all zeros. */
export function readTraceId(traceparent: unknown): string | undefined {
  if (typeof traceparent !== 'string') return undefined
  const id = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(traceparent)?.[1]
  return id === undefined || /^0+$/.test(id) ? undefined : id
}
