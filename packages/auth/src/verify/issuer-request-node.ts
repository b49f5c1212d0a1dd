// Node's own HTTP client as the way to the issuer, on the process's own agents: what they are told of proxies
// (`NODE_USE_ENV_PROXY`) and authorities (`NODE_EXTRA_CA_CERTS`) holds.
import type { IncomingMessage } from 'node:http'
import type { IssuerRequest, SendToIssuer } from './issuer-request.ts'
import { loadHttpClient } from './node-http.ts'

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** The adapter. `node:https`, which takes as long as a quarter of a start, is loaded with the first https URL. */
export const sendWithNode: SendToIssuer = async (url, request) => {
  const to = new URL(url)
  const { signal } = request
  let answer: IncomingMessage | undefined
  // Of those that are kept, each once at most; a new one is never `undefined`.
  while (answer === undefined) answer = await send(to, request)
  if (REDIRECTS.has(answer.statusCode ?? 0)) {
    answer.destroy()
    throw new Error(`${to.origin} answered with a redirect, which is not followed`)
  }
  return {
    status: answer.statusCode ?? 0,
    body: readBody(answer, signal),
    async discard() {
      answer.destroy()
    },
  }
}

/**
 * Answers `undefined` when the server had closed the connection that was kept: that one is used no more, and nothing that an
 * agent asks does harm when it is asked twice.
 */
async function send(
  to: URL,
  { form, headers, signal }: IssuerRequest,
): Promise<IncomingMessage | undefined> {
  signal.throwIfAborted()
  const body = form === undefined ? undefined : new URLSearchParams(form).toString()
  const { promise, reject, resolve } = Promise.withResolvers<IncomingMessage | undefined>()
  const sent = loadHttpClient(to.protocol).request(to, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      'user-agent': 'deputy',
      ...(body === undefined
        ? {}
        : {
            'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
            'content-length': Buffer.byteLength(body),
          }),
      ...headers,
    },
    signal,
  })
  sent.once('response', resolve)
  sent.on('error', (error: NodeJS.ErrnoException) => {
    if (signal.aborted) reject(signal.reason)
    else if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(undefined)
    else reject(explain(error, to))
  })
  sent.end(body)
  return promise
}

/** Of several addresses that were tried, Node's own error says nothing. */
function explain(error: NodeJS.ErrnoException, { origin }: URL): Error {
  const { code, message, name } = error
  return new Error(`${origin}: ${message === '' ? (code ?? name) : message}`, { cause: error })
}

async function* readBody(
  answer: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  try {
    yield* answer
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  }
}
