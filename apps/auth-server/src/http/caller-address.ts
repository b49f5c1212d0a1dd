import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/**
 * The address that a request comes from.
 *
 * Behind proxies it is the entry of `X-Forwarded-For` that the outermost trusted one wrote, counted
 * from the right. Attack prevented: what a caller itself writes there stands further left and is
 * never taken.
 *
 * @param trustedProxies how many proxies stand in front of the server; 0 reads the socket alone
 */
export function readCallerAddress(req: IncomingMessage, trustedProxies: number): string {
  const socketAddress = req.socket.remoteAddress ?? 'unknown'
  if (trustedProxies === 0) return socketAddress
  const forwarded = [req.headers['x-forwarded-for'] ?? []].flat().join(',').split(',')
  const address = forwarded.at(-trustedProxies)?.trim() ?? ''
  return isIP(address) === 0 ? socketAddress : address
}
