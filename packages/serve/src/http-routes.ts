// The plain HTTP side of an agent: health, metadata, tRPC, and whatever else the app brings.
import {
  PROTECTED_RESOURCE_METADATA_PATH,
  type ProtectedResourceMetadata,
} from '@deputy/auth/protocol'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

/** Where an agent's procedures are. */
export const TRPC_PATH = '/trpc'

/** The URL of a call as clients make it: nothing in it that a parser would change. */
const CLEAN_CALL = /^\/trpc\/\w[\w.,-]*(?:\?|$)/

export type HttpRoutes = {
  readonly trpc: RequestListener
  readonly fallback: RequestListener | undefined
  readonly metadata: () => ProtectedResourceMetadata
  readonly isReady: () => Promise<boolean>
}

/** Creates the listener that sends each request to its route by its path. Never throws. */
export function createRequestListener(routes: HttpRoutes): RequestListener {
  return (req, res) => {
    if (CLEAN_CALL.test(req.url ?? '')) {
      routes.trpc(req, res)
      return
    }
    const path = readPath(req)
    if (path === undefined) sendJson(res, 400, { error: 'bad_request', message: 'malformed URL' })
    else if (path === '/livez') sendGet(req, res, () => ({ status: 'live' }))
    else if (path === '/readyz') void sendReadiness(req, res, routes.isReady)
    else if (path === PROTECTED_RESOURCE_METADATA_PATH) sendGet(req, res, routes.metadata)
    else if (path === TRPC_PATH || path.startsWith(`${TRPC_PATH}/`)) routes.trpc(req, res)
    else if (routes.fallback) routes.fallback(req, res)
    else sendNotFound(res)
  }
}

/** A path that a parser would leave as it is: no dots, no escapes, no host. */
const CLEAN_PATH = /^\/\w[\w/-]*(?=\?|$)/

/** The path of a request, or `undefined` where the request line has none. */
export function readPath(req: IncomingMessage): string | undefined {
  const clean = CLEAN_PATH.exec(req.url ?? '')
  if (clean !== null) return clean[0]
  return URL.parse(req.url ?? '', 'http://agent.invalid')?.pathname
}

/** Answers with JSON. */
export function sendJson(res: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  res.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  })
  res.end(text)
}

function sendNotFound(res: ServerResponse): void {
  const message = `there is nothing here: procedures are below ${TRPC_PATH}/`
  sendJson(res, 404, { error: 'not_found', message })
}

function sendGet(req: IncomingMessage, res: ServerResponse, body: () => object): void {
  if (isRead(req, res)) sendJson(res, 200, body())
}

async function sendReadiness(
  req: IncomingMessage,
  res: ServerResponse,
  isReady: () => Promise<boolean>,
): Promise<void> {
  if (!isRead(req, res)) return
  const ready = await isReady().catch(() => false)
  sendJson(res, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready' })
}

/** Whether the request reads; any other has been answered when this is `false`. */
function isRead(req: IncomingMessage, res: ServerResponse): boolean {
  if (req.method === 'GET' || req.method === 'HEAD') return true
  res.setHeader('allow', 'GET, HEAD')
  sendJson(res, 405, { error: 'method_not_allowed', message: 'use GET' })
  return false
}
