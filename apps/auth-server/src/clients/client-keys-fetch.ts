// Fetches the keys that a client publishes at its `jwks_uri` (RFC 7591 §2): one bounded request, to a
// public address, no redirect followed.
import { parsePublicJwk, parseSecureUrl, type PublicJwk } from '@deputy/auth/protocol'
import { lookup as resolve } from 'node:dns'
import { request as requestHttp, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import * as z from 'zod'
import { isLoopbackAddress, isPublicAddress } from './client-keys-address.ts'

/** Fetches the keys at a URL that can be used here. Rejects with `JwksFetchError`. */
export type FetchJwks = (uri: string) => Promise<readonly PublicJwk[]>

/** The keys of a client could not be had. The message is for the operator. */
export class JwksFetchError extends Error {
  override readonly name = 'JwksFetchError'
  readonly code = 'jwks_fetch_failed'
}

export type JwksFetchOptions = {
  /** This server's own: where it is on loopback, so may be its clients. */
  readonly issuer: string
  /** For a company whose agents are on a network of its own. Default: public addresses only. */
  readonly allowPrivateAddresses?: boolean | undefined
  /** For the whole request. Default 5,000. */
  readonly timeoutMs?: number | undefined
  /** Largest document that is read. Default 65,536. */
  readonly maxBytes?: number | undefined
  /** Asks for the addresses of a name. Default: the machine's resolver. */
  readonly lookup?: LookupFunction | undefined
}

const TIMEOUT_MS = 5000
const MAX_BYTES = 64 * 1024

/** Keys of one client that are looked at. */
const MAX_KEYS = 20

const Jwks = z.object({ keys: z.array(z.unknown()) })

/** Creates the fetching. */
export function createJwksFetch(options: JwksFetchOptions): FetchJwks {
  const { hostname, protocol } = new URL(options.issuer)
  const isLocalServer = protocol === 'http:' || isLoopbackAddress(stripBrackets(hostname))
  const maxBytes = options.maxBytes ?? MAX_BYTES

  function isAllowed(address: string): boolean {
    if (isLoopbackAddress(address)) return isLocalServer || options.allowPrivateAddresses === true
    return isPublicAddress(address) || options.allowPrivateAddresses === true
  }

  function checkUrl(uri: string): URL {
    const url = parseSecureUrl(uri, 'jwks_uri')
    if (url.protocol === 'http:' && !isLocalServer) throw new JwksFetchError('it is not https')
    if (url.username !== '' || url.password !== '') throw new JwksFetchError('it has a password')
    const host = stripBrackets(url.hostname)
    // A name is judged when it is resolved; an address is never looked up.
    if (isIP(host) !== 0 && !isAllowed(host)) throw new JwksFetchError(`${host} is not public`)
    return url
  }

  async function send(url: URL): Promise<string> {
    const request = url.protocol === 'http:' ? requestHttp : requestHttps
    const signal = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(url, {
        headers: { accept: 'application/jwk-set+json, application/json' },
        lookup: guardLookup(options.lookup ?? resolveAll, isAllowed),
        // A connection of its own: one that is kept was judged for another request.
        agent: false,
        maxHeaderSize: 16 * 1024,
        signal,
      })
        .once('response', resolve)
        .once('error', reject)
        .end()
    })
    try {
      // Attack prevented: a redirect from a public address to one that is not.
      if (response.statusCode !== 200)
        throw new JwksFetchError(`status ${String(response.statusCode)}`)
      return await readBounded(response, maxBytes)
    } finally {
      response.destroy()
    }
  }

  return async (uri) => {
    try {
      const { keys } = Jwks.parse(JSON.parse(await send(checkUrl(uri))))
      const parsed = keys.slice(0, MAX_KEYS).map((key) => parsePublicJwk(key))
      return parsed.flatMap((key) => (key.ok ? [key.value] : []))
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : 'unknown'
      throw new JwksFetchError(`the keys at ${toLoggable(uri)} cannot be had: ${why}`, { cause })
    }
  }
}

const resolveAll: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, options, callback)
}

/**
 * Judges the very addresses that the connection is then made to. Attack prevented: DNS rebinding, where
 * a name has a public address when it is checked and a private one when it is used.
 */
function guardLookup(
  lookup: LookupFunction,
  isAllowed: (address: string) => boolean,
): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        callback(error, [])
        return
      }
      const addresses =
        typeof found === 'string' ? [{ address: found, family: isIP(found) }] : found
      const [first] = addresses
      if (first === undefined || !addresses.every(({ address }) => isAllowed(address))) {
        callback(new JwksFetchError('its name has an address that is not public'), [])
      } else if (options.all === true) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
}

async function readBounded(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > maxBytes) throw new JwksFetchError(`more than ${String(maxBytes)} bytes`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Queries hold secrets at times. */
function toLoggable(uri: string): string {
  const url = URL.parse(uri)
  return url === null ? 'a malformed URL' : url.origin + url.pathname
}

function stripBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}
