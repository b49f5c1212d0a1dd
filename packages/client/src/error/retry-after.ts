import { systemClock } from '@deputy/auth/protocol'

/** Longest wait that is taken at its word: 1 hour. */
const MAX_SECONDS = 3600

/**
 * Reads `Retry-After` (RFC 9110 §10.2.3) of an answer's headers: seconds or a date, as seconds from now,
 * an hour at most. `undefined` where there is none that can be read.
 */
export function readRetryAfter(headers: unknown): number | undefined {
  const text = readHeader(headers, 'retry-after')
  if (text === undefined) return undefined
  const seconds = /^\d+$/.test(text)
    ? Number(text)
    : Math.ceil(Date.parse(text) / 1000) - systemClock.now()
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), MAX_SECONDS)
}

/** Reads a header of anything that has `get`, as `Headers` does. */
export function readHeader(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null || !('get' in headers)) return undefined
  const { get } = headers
  if (typeof get !== 'function') return undefined
  const value: unknown = Reflect.apply(get, headers, [name])
  return typeof value === 'string' ? value : undefined
}
