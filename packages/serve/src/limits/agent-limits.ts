// Everything that callers of an agent can take up: all of it has a limit, and every limit a default.
import * as z from 'zod'
import { WEB_SOCKET_DEFAULTS, type WebSocketLimits } from '../web-socket/web-socket-limits.ts'

/** What one request, one connection, one caller and all of them together may take up. */
export type AgentLimits = {
  /** Largest body, in bytes. Larger: 413 `payload_too_large`. Default 1,048,576. */
  readonly maxBodyBytes: number
  /** Most calls in one batch. More: 400 `bad_request`, and none is carried out. Default 100. */
  readonly maxBatchSize: number
  /** How deep JSON may be nested. Deeper: 400 `parse_error`. Default 64. */
  readonly maxJsonDepth: number
  /** Longest path and query of a URL, in bytes. Longer: 414 `url_too_long`. Default 8,192. */
  readonly maxUrlBytes: number
  /** URL and header fields together, in bytes. More: 431 `headers_too_large`. Default 16,384. */
  readonly maxHeaderBytes: number
  /** Most header fields. More: 431 `headers_too_large`. Default 100. */
  readonly maxHeaderCount: number
  /** Calls of one agent under way, over all its connections. More: 429 `too_many_calls`. Default 1,000. */
  readonly maxCallsPerAgent: number
  /** Streams (SSE) that one agent may have open. More: 429 `too_many_streams`. Default 1,000. */
  readonly maxStreamsPerAgent: number
  /**
   * Connections open at once. A request on one beyond is answered with 503 `too_many_connections`; beyond a
   * tenth more they are closed at once. Default 20,000.
   */
  readonly maxConnections: number
  /** Requests that wait on one connection for the answer before theirs. More: 429 `too_many_requests`. Default 100. */
  readonly maxPipelinedRequests: number
  /** Requests on one connection; with the last one it is closed. Default: no limit. */
  readonly maxRequestsPerConnection: number
  /** Until all header fields must have arrived. Later: 408 `request_timeout`. Default 10,000 ms. */
  readonly headersTimeoutMs: number
  /** Until the whole request must have arrived. Later: 408 `request_timeout`. Default 30,000 ms. */
  readonly requestTimeoutMs: number
  /** How long a connection is kept without a request. Then: closed. Default 5,000 ms. */
  readonly keepAliveTimeoutMs: number
  /**
   * How long what was sent may wait for its reader, and as long again for each MiB of it. Then: the connection is
   * cut. Default 30,000 ms.
   */
  readonly slowReaderTimeoutMs: number
  /** How long a drain waits for the calls under way. Then: their connections are cut. Default 10,000 ms. */
  readonly drainTimeoutMs: number
  /** How long a call of a caller that names no deadline may take. Then: 408 `deadline_exceeded`. Default 600,000 ms. */
  readonly defaultTimeoutMs: number
  /**
   * How long a query or a mutation may take, whatever its caller says. Then: 408 `deadline_exceeded`. A stream lives as
   * long as its caller says, and its authority lasts. Default 600,000 ms.
   */
  readonly maxTimeoutMs: number
  /** What WebSockets may take up. */
  readonly webSocket: WebSocketLimits
}

type Some<Limits> = { readonly [Name in keyof Limits]?: Limits[Name] | undefined }

/** Those that are to be other than their defaults. */
export type AgentLimitsOptions = Some<Omit<AgentLimits, 'webSocket'>> & {
  readonly webSocket?: Some<WebSocketLimits> | undefined
}

const DEFAULTS: Omit<AgentLimits, 'webSocket'> = {
  maxBodyBytes: 1024 * 1024,
  maxBatchSize: 100,
  maxJsonDepth: 64,
  maxUrlBytes: 8 * 1024,
  maxHeaderBytes: 16 * 1024,
  maxHeaderCount: 100,
  maxCallsPerAgent: 1000,
  maxStreamsPerAgent: 1000,
  maxConnections: 20_000,
  maxPipelinedRequests: 100,
  maxRequestsPerConnection: Number.POSITIVE_INFINITY,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 5000,
  slowReaderTimeoutMs: 30_000,
  drainTimeoutMs: 10_000,
  defaultTimeoutMs: 600_000,
  maxTimeoutMs: 600_000,
}

/** Longest time that a timer of JavaScript can hold. */
const MAX_TIMER_MS = 2 ** 31 - 1

const limit = z.number().positive().optional()
const timeLimit = z.number().positive().max(MAX_TIMER_MS).optional()
const limits = <Names extends string>(defaults: Readonly<Record<Names, number>>) =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the names are those of the defaults
  Object.fromEntries(
    Object.keys(defaults).map((name) => [name, name.endsWith('Ms') ? timeLimit : limit]),
  ) as Record<Names, typeof limit>

/** Limits as settings have them: any of them, and nothing else. */
export const AgentLimitsSetting: z.ZodType<AgentLimitsOptions> = z.strictObject({
  ...limits(DEFAULTS),
  webSocket: z
    .strictObject({ ...limits(WEB_SOCKET_DEFAULTS), maxMessageBytes: limit, maxJsonDepth: limit })
    .optional(),
})

/**
 * Fills in the defaults. Throws `TypeError` for a limit that is not above 0, which would refuse everybody, and for a
 * time that no timer holds.
 */
export function readAgentLimits(given: AgentLimitsOptions = {}): AgentLimits {
  const { webSocket, ...own } = given
  const http = fill('limits', DEFAULTS, own)
  const defaults = {
    ...WEB_SOCKET_DEFAULTS,
    maxMessageBytes: http.maxBodyBytes,
    maxJsonDepth: http.maxJsonDepth,
  }
  return { ...http, webSocket: fill('limits.webSocket', defaults, webSocket) }
}

function fill<Limits extends Readonly<Record<string, number>>>(
  where: string,
  defaults: Limits,
  given: { readonly [Name in keyof Limits]?: number | undefined } = {},
): Limits {
  const set = Object.entries(given).filter(([, value]) => value !== undefined)
  const filled = { ...defaults, ...Object.fromEntries(set) }
  for (const [name, value] of Object.entries(filled)) {
    const limited = `${where}.${name}`
    if (!Object.hasOwn(defaults, name)) throw new TypeError(`${limited} is no limit`)
    if (!(value > 0)) throw new TypeError(`${limited} must be above 0, not ${String(value)}`)
    if (name.endsWith('Ms') && value > MAX_TIMER_MS) {
      throw new TypeError(
        `${limited} must be at most ${String(MAX_TIMER_MS)}, not ${String(value)}`,
      )
    }
  }
  return filled
}
