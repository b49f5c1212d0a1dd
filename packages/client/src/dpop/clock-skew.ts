import type { Clock } from '@deputy/auth/protocol'
import { readHeader } from '../error/retry-after.ts'

/** `Date` has whole seconds, and the answer was on its way: less than this says nothing. */
const MIN_SKEW_SECONDS = 2

/**
 * How many seconds a server's clock is ahead of this one, by the `Date` of its answer (RFC 9110 §6.6.1).
 * `undefined` without a `Date` that can be read; 0 when they agree.
 */
export function readSkewSeconds(headers: unknown, clock: Clock): number | undefined {
  const date = Date.parse(readHeader(headers, 'date') ?? '')
  if (Number.isNaN(date)) return undefined
  const seconds = Math.round(date / 1000) - clock.now()
  return Math.abs(seconds) < MIN_SKEW_SECONDS ? 0 : seconds
}
