// An agent or a server whose public URL has a path (`https://host/tenant`). Proxies pass the path on or
// take it off: both are understood, so that the routes need not know of it. Well-known documents have the path
// behind them (RFC 8414 §3.1, RFC 9728 §3.1).
import type { IncomingMessage, Server } from 'node:http'

/** Takes the path off the URL of each request before anybody else reads it. Nothing to do without a path. */
export function serveBelowPath(server: Server, publicUrl: string): void {
  const { pathname } = new URL(publicUrl)
  const base = pathname.replace(/\/$/, '')
  if (base === '') return
  const strip = (req: IncomingMessage): void => {
    req.url = stripPath(req.url ?? '/', base)
  }
  server.prependListener('request', strip)
  server.prependListener('upgrade', strip)
}

/** The URL as the routes have it. Whatever is not below the path stays what it is. Pure. */
export function stripPath(url: string, base: string): string {
  const [, path = '', query = ''] = /^([^?]*)(.*)$/.exec(url) ?? []
  if (path.startsWith(`${base}/`)) return path.slice(base.length) + query
  // > inserting a well-known URI string […] between the host component and the path component
  const isWellKnown = /^\/\.well-known\/[^/]+/.exec(path)
  const [document = ''] = isWellKnown ?? []
  return document !== '' && path.slice(document.length) === base ? document + query : url
}
