// What an endpoint gets and gives: plain values, so that an endpoint knows nothing of sockets.
import type { IncomingHttpHeaders } from 'node:http'

/** One request to an OAuth endpoint. */
export type OAuthRequest = {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: Pick<URLSearchParams, 'has'>
  readonly headers: IncomingHttpHeaders
  /** Every value of a header as it was sent, for those of which there must be one only. */
  headerValues(name: string): readonly string[]
  /** The caller's address: the socket's, or what a trusted proxy says. */
  readonly remoteAddress: string
  /** Names the request in the log, the audit trail and the answer's `x-correlation-id`. */
  readonly correlationId: string
  /** Of the caller's trace, when it sent one (W3C Trace Context). */
  readonly traceId: string | undefined
  /** The whole body as text. Rejects with `OAuthError` when it is too large or no UTF-8. */
  readBody(): Promise<string>
}

/** What an endpoint answers: a status and, mostly, a JSON body. */
export type OAuthAnswer = {
  /** Default 200. */
  readonly status?: number | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Sent as JSON; nothing is sent when left out. */
  readonly body?: object | undefined
  /** Sent as server-sent events in place of a body, until they end or the caller goes. */
  readonly events?: ((signal: AbortSignal) => AsyncGenerator<string, void>) | undefined
}

/** One endpoint and one method. Throws `OAuthError` for a refusal; anything else is a bug. */
export type Endpoint = (request: OAuthRequest) => OAuthAnswer | Promise<OAuthAnswer>
