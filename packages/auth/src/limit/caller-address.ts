// Where a request comes from, for limits that go by the network address.
import { isIP } from 'node:net'

/** The part of a request that says where it comes from. */
export type AddressedRequest = {
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined
  /** Every `X-Forwarded-For` of the request. */
  readonly forwardedFor: string | readonly string[] | undefined
}

/** Reads the address. `unknown` where there is no socket any more. */
export type ReadCallerAddress = (request: AddressedRequest) => string

export type CallerAddressOptions = {
  /** How many proxies in front are trusted to name the caller's address. Default 0: the socket alone counts. */
  readonly trustedProxies?: number | undefined
  /**
   * Told once, of the first request with `X-Forwarded-For` where no proxy is trusted: behind one, all callers then have
   * its address, and share what an address may do.
   */
  readonly onUntrusted?: (() => void) | undefined
}

/**
 * Creates the reading. Behind proxies the address is the entry of `X-Forwarded-For` that the outermost trusted one wrote,
 * counted from the right. Attack prevented: what a caller itself writes there stands further left and is never taken.
 *
 * Throws `TypeError` for a number of proxies that is none.
 */
export function createCallerAddress(options: CallerAddressOptions = {}): ReadCallerAddress {
  const { onUntrusted, trustedProxies = 0 } = options
  if (!Number.isInteger(trustedProxies) || trustedProxies < 0) {
    throw new TypeError('trustedProxies must be a whole number from 0 on')
  }
  let isTold = onUntrusted === undefined

  return ({ forwardedFor, socket }) => {
    const socketAddress = socket?.remoteAddress ?? 'unknown'
    if (trustedProxies === 0) {
      if (!isTold && forwardedFor !== undefined) {
        isTold = true
        onUntrusted?.()
      }
      return socketAddress
    }
    const entries = [forwardedFor ?? []].flat().join(',').split(',')
    const address = withoutPort(entries.at(-trustedProxies)?.trim() ?? '')
    return isIP(address) === 0 ? socketAddress : address
  }
}

/** Some proxies write the caller's port as well: `203.0.113.9:51234`, `[2001:db8::1]:51234`. */
function withoutPort(entry: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d{1,5})?$/.exec(entry) ?? []
  return bracketed ?? plain ?? entry
}
