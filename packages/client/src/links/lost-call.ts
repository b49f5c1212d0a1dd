// What became of a call that was not answered, by the error that its transport gave.
import type { ClientError } from '../error/client-error.ts'

/**
 * - `unsent`: it certainly never reached the agent;
 * - `lost`: it may have been carried out, and the same call again may be answered;
 * - `hopeless`: the same call again would end in the same way, like a redirect, a certificate that is not
 *   trusted, a name that does not exist, or an answer that is not tRPC's.
 */
export type CallFate = 'unsent' | 'lost' | 'hopeless'

/** Code of the error of a WebSocket that was closed: the browser's event is none. */
export const WEBSOCKET_CLOSED = 'WEBSOCKET_CLOSED'

/** Code of the error of a stream of events that ended without its end. */
const STREAM_CUT = 'STREAM_CUT'

/** That error: another attempt may go on where this stream stopped. */
export function createStreamCut(message: string): Error {
  return Object.assign(new Error(message), { code: STREAM_CUT })
}

/** Code of the error of a call whose connection was lost before it was written on it. */
const NEVER_SENT = 'NEVER_SENT'

/** That error: whatever became of the connection, the call was not carried out. */
export function createNeverSent(cause: Error): Error {
  return Object.assign(new Error(cause.message, { cause }), { code: NEVER_SENT })
}

/** Codes of Node's sockets, of undici, and of Bun. */
const UNSENT = new Set([
  NEVER_SENT,
  'ECONNREFUSED',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'ConnectionRefused',
  'FailedToOpenSocket',
])

const LOST = new Set([
  STREAM_CUT,
  WEBSOCKET_CLOSED,
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'UND_ERR_SOCKET',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ConnectionClosed',
  'ConnectionReset',
])

/** What stands before an agent says that it is not there, or has too much to do. */
const UNAVAILABLE_STATUSES = new Set([429, 502, 503, 504])

/** Causes of causes that are looked at. */
const MAX_DEPTH = 5

/** Decides it, for a `network_error`. Every other code is an answer. */
export function findCallFate(error: ClientError): CallFate {
  if (error.code !== 'network_error') return 'hopeless'
  const causes = listCauses(error.cause)
  const codes = causes.map((cause): unknown => Reflect.get(cause, 'code'))
  if (codes.some((code) => typeof code === 'string' && UNSENT.has(code))) return 'unsent'
  if (codes.some((code) => typeof code === 'string' && LOST.has(code))) return 'lost'
  if (error.status !== undefined) {
    return UNAVAILABLE_STATUSES.has(error.status) ? 'lost' : 'hopeless'
  }
  if (causes.some(({ name }) => name === 'TRPCWebSocketClosedError')) return 'lost'
  // Browsers, Workers and Deno say no more of a connection than that there was none; a connection of this
  // package's own that was cut, not even that.
  const [first] = causes
  const saysNothing = causes.length === 1 && first instanceof TypeError && codes[0] === undefined
  return saysNothing || causes.length === 0 ? 'lost' : 'hopeless'
}

function listCauses(cause: unknown): readonly Error[] {
  const causes: Error[] = []
  for (let next = cause; next instanceof Error && causes.length < MAX_DEPTH; next = next.cause) {
    causes.push(next)
  }
  return causes
}
