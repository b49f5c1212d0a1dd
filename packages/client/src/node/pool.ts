// Node only: what calls are sent with where many are, undici's pool of connections in place of `fetch`; and
// the only place that can tell where a name leads before anything is sent there.
import { lookup as systemLookup } from 'node:dns'
import { Readable } from 'node:stream'
import { Agent, buildConnector, fetch as undiciFetch, type Dispatcher } from 'undici'
import { assertPublicHost } from '../discovery/public-hosts.ts'
import { ClientError } from '../error/client-error.ts'
import type { FetchLike, FetchLikeAnswer } from '../fetch-like.ts'
import { createPublicConnector, createPublicLookup } from './public-connector.ts'

export type PoolOptions = {
  /** Connections to one server for calls, at most. Default 32. A subscription has one of its own for as long as it lasts. */
  readonly maxConnections?: number | undefined
  /** Longest answer to a call that is read, in bytes. Default 32 MiB. A subscription has no end. */
  readonly maxAnswerBytes?: number | undefined
  /** How long a connection may take to be made. Default 5,000 ms. */
  readonly connectTimeoutMs?: number | undefined
  /**
   * Refuses servers on private addresses, whatever their names: the address that is connected to is the one
   * that was looked at (DNS rebinding). Rejects with `ClientError` (`host_not_allowed`). Default `false`.
   */
  readonly refusePrivateAddresses?: boolean | undefined
  /** Asks for the addresses of a name. Default: the machine's resolver. */
  readonly lookup?: typeof systemLookup | undefined
}

export type ConnectionPool = AsyncDisposable & {
  /** For the `fetch` of a client: sends calls, and follows no redirect. */
  readonly fetch: FetchLike
  /** For the `fetch` of credentials and of discovery. */
  readonly webFetch: typeof fetch
}

const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/**
 * Creates a pool. Dispose of it to close its connections, after the calls that are under way; clients that use it do not.
 */
export function createPool(options: PoolOptions = {}): ConnectionPool {
  const { lookup = systemLookup, refusePrivateAddresses = false } = options
  const timeout = options.connectTimeoutMs ?? 5000
  const connect = refusePrivateAddresses
    ? createPublicConnector(
        buildConnector({ timeout, port: 0, lookup: createPublicLookup(lookup) }),
      )
    : { timeout }
  const agent = new Agent({ connections: options.maxConnections ?? 32, connect })
  // As many subscriptions as there are connections would leave none for calls, which would wait until their time is over.
  const streams = new Agent({ connect })
  const maxBytes = options.maxAnswerBytes ?? MAX_ANSWER_BYTES
  const check = refusePrivateAddresses ? assertPublicHost : () => undefined

  return {
    async fetch(url, { body, headers, method, signal }) {
      check(url)
      const pathAt = url.indexOf('/', url.indexOf('://') + 3)
      const isStream = headers['accept'] === 'text/event-stream'
      const answer = await (isStream ? streams : agent)
        .request({
          origin: url.slice(0, pathAt),
          path: url.slice(pathAt),
          method: method === 'GET' ? 'GET' : 'POST',
          headers,
          body,
          signal,
        })
        .catch(toFetchError)
      const status = answer.statusCode
      if (status >= 300 && status < 400) {
        await answer.body.dump()
        throw toTypeError(new Error('unexpected redirect'))
      }
      return {
        ok: status >= 200 && status < 300,
        status,
        headers: { get: (name) => readHeader(answer.headers[name]) },
        get body() {
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node's stream is the platform's
          return Readable.toWeb(answer.body) as ReadableStream<Uint8Array>
        },
        json: async () => readJson(answer, maxBytes).catch(toBodyError),
      } satisfies FetchLikeAnswer
    },
    webFetch: async (input, init) => {
      const url = input instanceof Request ? input.url : String(input)
      check(url)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- @types/node has the types of another patch of undici
      const own = { ...readRequest(input), ...init, dispatcher: agent } as UndiciInit
      return undiciFetch(url, own).catch(toNotAllowed)
    },
    async [Symbol.asyncDispose]() {
      // Streams have no end that could be waited for.
      await Promise.all([agent.close(), streams.destroy()])
    },
  }
}

type Answer = Dispatcher.ResponseData

async function readJson({ body, headers }: Answer, maxBytes: number): Promise<unknown> {
  // undici sees to it that the body is as long as was said.
  if (Number(headers['content-length']) <= maxBytes) return body.json()
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    const part = Buffer.from(chunk)
    bytes += part.length
    if (bytes > maxBytes) throw new Error(`the answer is longer than ${String(maxBytes)} bytes`)
    chunks.push(part)
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}

type UndiciInit = Parameters<typeof undiciFetch>[1]

/** What is in a `Request` of the platform's, which is not one of undici's. */
function readRequest(input: string | URL | Request): RequestInit {
  if (!(input instanceof Request)) return {}
  const { body, headers, method, redirect, signal } = input
  return { body, headers, method, redirect, signal, duplex: 'half' }
}

function readHeader(value: string | string[] | undefined): string | null {
  return Array.isArray(value) ? value.join(', ') : (value ?? null)
}

/** As `fetch` does it, so that everybody who knows its errors knows these. */
function toTypeError(cause: unknown): TypeError {
  return new TypeError('fetch failed', { cause })
}

function toFetchError(error: unknown): never {
  const isOwn =
    error instanceof ClientError || (error instanceof Error && error.name === 'AbortError')
  throw isOwn ? error : toTypeError(error)
}

function toBodyError(error: unknown): never {
  throw error instanceof SyntaxError ? error : toFetchError(error)
}

function toNotAllowed(error: unknown): never {
  throw error instanceof Error && error.cause instanceof ClientError ? error.cause : error
}
