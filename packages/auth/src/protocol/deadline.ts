// How long a caller waits, as it travels with a call: what is left, in milliseconds, and not a moment on a clock, since
// clocks differ (docs/adr/0033). The same over HTTP (a header), in a WebSocket's first message and in each of its calls.
import { accept, refuse, type Result } from './result.ts'

/** The header: what is left when the request is sent, in whole milliseconds. */
export const TIMEOUT_HEADER = 'deputy-timeout-ms'

/** The moment after which nobody waits for a call any more. */
export type Deadline = {
  /** What is left, in milliseconds; 0 once it is over. */
  remainingMs(): number
}

/** Why a time cannot be read. */
export type TimeoutMalformed = { readonly reason: 'deadline_invalid'; readonly detail: string }

/** > at most 8 digits, says gRPC of its own; ten hold a timer of 24 days. */
const TEXT = /^\d{1,10}$/
const MAX_TIMEOUT_MS = 9_999_999_999

/** Reads the header; `undefined` where there is none. */
export function parseTimeoutHeader(
  value: string | undefined,
): Result<number | undefined, TimeoutMalformed> {
  if (value === undefined) return accept(undefined)
  if (TEXT.test(value)) return accept(Number(value))
  return malformed(`the header ${TIMEOUT_HEADER}`)
}

/** Reads the `timeoutMs` of a message's `params`; `undefined` where there is none. */
export function parseTimeoutParam(value: unknown): Result<number | undefined, TimeoutMalformed> {
  if (value === undefined || value === null) return accept(undefined)
  const isTimeout =
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_TIMEOUT_MS
  return isTimeout ? accept(value) : malformed('params.timeoutMs')
}

/** What is sent of a deadline: rounded down, so that it grows on no hop. */
export function toTimeoutMs(deadline: Deadline): number {
  return Math.min(MAX_TIMEOUT_MS, Math.max(0, Math.floor(deadline.remainingMs())))
}

function malformed(where: string): Result<never, TimeoutMalformed> {
  const detail = `${where} must be what is left in milliseconds: a whole number of at most ten digits`
  return refuse({ reason: 'deadline_invalid', detail })
}
