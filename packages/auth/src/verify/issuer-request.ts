// How an agent asks its authorization server, over HTTP. A port with two adapters: Node's own client, which an agent
// that starts has in a tenth of the time that `fetch` takes to load (docs/adr/0049), and `fetch`.
import { createFetchRequests } from './issuer-request-fetch.ts'
import { sendWithNode } from './issuer-request-node.ts'

export type IssuerRequest = {
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Sent by POST, as a form. Default: GET, without a body. */
  readonly form?: Readonly<Record<string, string>> | undefined
}

export type IssuerAnswer = {
  readonly status: number
  /** As it comes, once. A loop over it that is left early ends the connection. */
  readonly body: AsyncIterable<Uint8Array>
  /** Ends the connection: for a body that nobody reads. */
  discard(): Promise<void>
}

/**
 * Sends a request and answers once the head is there. Rejects when nobody can be reached, with the reason of the signal
 * once that is aborted, and for a redirect. Attack prevented: a redirect to a host that then chooses the keys, or is sent
 * the secret. What is read of the body ends by the same signal.
 */
export type SendToIssuer = (url: string | URL, request: IssuerRequest) => Promise<IssuerAnswer>

/** A document of the issuer is some kilobytes: more is none. */
const MAX_DOCUMENT_BYTES = 1024 * 1024

/**
 * Parses by a schema as it is. Zod makes code for a schema with its first use, which pays with many more of them, and of
 * which an agent that starts would wait for several.
 */
export const READ_RARELY = { jitless: true } as const

/** Where undici, Node's own and the package, has what all `fetch` of a process connects with. */
const FETCH_DISPATCHER = Symbol.for('undici.globalDispatcher.1')

/** Sends by the `fetch` that is given. Default: as the process does. */
export function createIssuerRequests(fetchWith: typeof fetch | undefined): SendToIssuer {
  return fetchWith === undefined ? sendAsProcess : createFetchRequests(fetchWith)
}

/** By `fetch` where the process has loaded that, or has said how it is to connect (a proxy, authorities of its own). */
const sendAsProcess: SendToIssuer = async (url, request) =>
  Reflect.has(globalThis, FETCH_DISPATCHER)
    ? createFetchRequests(fetch)(url, request)
    : sendWithNode(url, request)

/** Reads a document. Rejects, naming `what` was asked, unless it is there, is JSON and has at most 1 MiB. */
export async function readDocument(answer: IssuerAnswer, what: string): Promise<unknown> {
  const { body, status } = answer
  if (status < 200 || status > 299) {
    await answer.discard()
    throw new Error(`${what} answered ${String(status)}`)
  }
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > MAX_DOCUMENT_BYTES) throw new Error(`${what} answered more than 1 MiB`)
    text += decoder.decode(chunk, { stream: true })
  }
  return JSON.parse(text + decoder.decode())
}
