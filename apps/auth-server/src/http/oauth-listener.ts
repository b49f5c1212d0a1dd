// The OAuth side of the server on plain `node:http`: paths to endpoints, and the one place where what
// an endpoint throws becomes an answer (RFC 6749 §5.2).
import type { ReadCallerAddress } from '@deputy/auth'
import { readTraceId } from '@deputy/auth/protocol'
import { writeTogether, type Logger } from '@deputy/serve'
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { isUnavailable } from '../unavailable.ts'
import { OAuthError } from '../oauth-error.ts'
import { redactSecrets } from '../redact-secrets.ts'
import type { Endpoint, OAuthAnswer, OAuthRequest } from './oauth-request.ts'
import { readBody } from './read-body.ts'
import { sendEvents } from './send-events.ts'

/** Endpoints by path, then by method. A path that ends in `/*` takes one more segment. */
export type OAuthRoutes = Readonly<Record<string, Readonly<Record<string, Endpoint>>>>

export type OAuthListenerOptions = {
  readonly routes: OAuthRoutes
  readonly logger: Logger
  readonly readAddress: ReadCallerAddress
}

/** Seconds after which a caller may come back when the store is gone. */
const UNAVAILABLE_RETRY_SECONDS = 5

// > The authorization server MUST include the HTTP "Cache-Control" response header field with a value
// > of "no-store" […] as well as the "Pragma" response header field with a value of "no-cache".
// (RFC 6749 §5.1)
const NOT_CACHED = { 'cache-control': 'no-store', pragma: 'no-cache' }

const NO_QUERY: OAuthRequest['query'] = new URLSearchParams()

/** Creates the listener. It answers every request and never throws. */
export function createOAuthListener(options: OAuthListenerOptions): RequestListener {
  const { logger, readAddress, routes } = options

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const request = toOAuthRequest(req, readAddress)
    try {
      const found = await findEndpoint(routes, request)(request)
      if (found.events === undefined || request.method === 'HEAD') sendLater(res, request, found)
      else await sendEvents(res, { correlationId: request.correlationId, events: found.events })
    } catch (error) {
      sendLater(res, request, toErrorAnswer(error, request, logger))
    }
  }

  function sendLater(res: ServerResponse, request: OAuthRequest, found: OAuthAnswer): void {
    writeTogether(() => {
      try {
        send(res, request, found)
      } catch (error) {
        send(res, request, toErrorAnswer(error, request, logger))
      }
    })
  }

  return (req, res) => void answer(req, res)
}

function toOAuthRequest(req: IncomingMessage, readAddress: ReadCallerAddress): OAuthRequest {
  const url = req.url ?? '/'
  const mark = url.indexOf('?')
  const { headers } = req
  return {
    method: req.method ?? 'GET',
    path: mark === -1 ? url : url.slice(0, mark),
    query: mark === -1 ? NO_QUERY : new URLSearchParams(url.slice(mark + 1)),
    headers,
    // Node keeps a second list for this, which is made only when somebody asks.
    headerValues: (name) => (headers[name] === undefined ? [] : (req.headersDistinct[name] ?? [])),
    remoteAddress: readAddress({ socket: req.socket, forwardedFor: headers['x-forwarded-for'] }),
    correlationId: randomUUID(),
    traceId: readTraceId(headers['traceparent']),
    readBody: async () => readBody(req),
  }
}

function findEndpoint(routes: OAuthRoutes, { method, path }: OAuthRequest): Endpoint {
  const below = path.slice(0, path.lastIndexOf('/') + 1)
  const methods = Object.hasOwn(routes, path) ? routes[path] : routes[`${below}*`]
  if (methods === undefined) return notFound
  const endpoint = Object.hasOwn(methods, method) ? methods[method] : undefined
  if (endpoint !== undefined) return endpoint
  if (method === 'HEAD' && methods['GET'] !== undefined) return methods['GET']
  const allow = Object.keys(methods).join(', ')
  return () => {
    throw new OAuthError({
      code: 'invalid_request',
      message: `use ${allow}, not ${method}`,
      status: 405,
      headers: { allow },
    })
  }
}

function notFound(): OAuthAnswer {
  return { status: 404, body: { error: 'not_found', message: 'there is nothing here' } }
}

function toErrorAnswer(error: unknown, request: OAuthRequest, logger: Logger): OAuthAnswer {
  const { correlationId, path } = request
  if (error instanceof OAuthError) {
    const { code, headers, members, message, status } = error
    const detail = redactSecrets(message)
    logger.info({ path, correlationId, error: code, status, detail }, 'refused')
    const error_description = toDescription(message)
    return { status, headers, body: { error: code, error_description, ...members } }
  }
  logger.error({ path, correlationId, err: error }, 'failed')
  if (isUnavailable(error)) {
    return {
      status: 503,
      headers: { 'retry-after': String(UNAVAILABLE_RETRY_SECONDS) },
      body: {
        error: 'temporarily_unavailable',
        error_description: 'the store cannot be reached right now: try again shortly',
      },
    }
  }
  const error_description = `internal error, see the log at ${correlationId}`
  return { status: 500, body: { error: 'server_error', error_description } }
}

function send(res: ServerResponse, request: OAuthRequest, answer: OAuthAnswer): void {
  // Who hung up meanwhile, or was cut off by the drain, is not answered.
  if (res.headersSent || res.destroyed) return
  const text = answer.body === undefined ? '' : JSON.stringify(answer.body)
  res.writeHead(answer.status ?? 200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...(answer.headers?.['cache-control'] === undefined ? NOT_CACHED : {}),
    'x-correlation-id': request.correlationId,
    ...answer.headers,
  })
  res.end(request.method === 'HEAD' ? undefined : text)
}

/** RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E; what lies outside becomes an apostrophe. */
function toDescription(message: string): string {
  return message.replaceAll('§', 'section ').replace(/[^\x20-\x21\x23-\x5B\x5D-\x7E]/g, "'")
}
