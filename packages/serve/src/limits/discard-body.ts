import type { IncomingMessage } from 'node:http'

const LINGER_MS = 500

/**
 * Throws away what is left of a body that was refused, for half a second; then the connection is cut. Cut at once, the
 * caller might not get to read its answer: TCP throws it away with what it had yet to send (RFC 9112 §9.6).
 */
export function discardBody(req: IncomingMessage): void {
  const timer = setTimeout(() => req.destroy(), LINGER_MS)
  req.once('close', () => {
    clearTimeout(timer)
  })
  req.resume()
}
