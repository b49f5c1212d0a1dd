// Calls over HTTP: those of the same moment that share a token share a request.
import { httpBatchLink, type Operation, type OperationLink, type TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { readAuthorization } from './auth-link.ts'
import type { Authorization } from './authorization.ts'
import { refuseGatewayAnswers } from './error/gateway-answer.ts'
import type { FetchLike, FetchLikeAnswer } from './fetch-like.ts'
import { toTraceHeaders } from './links/trace-context.ts'
import type { PlainRouter, Transport } from './transport.ts'

/** Longest URL that a query is sent with, in characters; longer batches are split. */
const MAX_URL_CHARS = 8000

/** Most calls in one request: what Deputy's agents take by default. */
const MAX_BATCH_SIZE = 100

/** Creates the sending link for HTTP. `url` is that of the agent's tRPC endpoint. */
export function createHttpTransport<Router extends AnyTRPCRouter>(
  url: string,
  given: FetchLike = fetch,
): Transport<Router> {
  const fetchWith = refuseGatewayAnswers(given)

  /** A batch has one set of headers, so there is one for each authorization, for as long as it is used. */
  const link: TRPCLink<Router> = (runtime) => {
    const batches = new WeakMap<Authorization, OperationLink<Router>>()

    function openBatch(authorization: Authorization): OperationLink<Router> {
      const open = httpBatchLink<PlainRouter>({
        url,
        maxURLLength: MAX_URL_CHARS,
        maxItems: MAX_BATCH_SIZE,
        headers: ({ opList }) => toTraceHeaders(opList),
        fetch: async (input, init) =>
          send(fetchWith, authorization, { url: String(input), ...toInit(init) }),
      })(runtime)
      batches.set(authorization, open)
      return open
    }

    return (call) => {
      const authorization = readAuthorization(call.op)
      return (batches.get(authorization) ?? openBatch(authorization))(call)
    }
  }
  return { link, close: async () => undefined }
}

type Sent = Pick<Operation, 'signal'> & {
  readonly url: string
  readonly method: string
  readonly headers: Record<string, string>
  readonly body: string | null
}

/** Sends a request, and once more where a proof (RFC 9449) was refused for want of a nonce. */
async function send(
  fetchWith: FetchLike,
  authorization: Authorization,
  { body, headers, method, signal, url }: Sent,
): Promise<FetchLikeAnswer> {
  const attempt = async (): Promise<FetchLikeAnswer> =>
    fetchWith(url, {
      method,
      body,
      signal: signal ?? null,
      headers: { ...headers, ...(await authorization.toRequestHeaders({ method, url })) },
      // Attack prevented: a redirect to another host, to which `fetch` would take the API key along.
      redirect: 'error',
    })
  const answer = await attempt()
  if (!authorization.observe(url, answer)) return answer
  await answer.json().catch(() => undefined)
  return attempt()
}

/** What tRPC's link gives to `fetch`, of which it uses these. */
function toInit(init: unknown): Omit<Sent, 'url'> {
  const read = (name: string): unknown =>
    typeof init === 'object' && init !== null ? Reflect.get(init, name) : undefined
  const [method, body, signal, headers] = ['method', 'body', 'signal', 'headers'].map(read)
  return {
    method: typeof method === 'string' ? method : 'GET',
    body: typeof body === 'string' ? body : null,
    signal: signal instanceof AbortSignal ? signal : null,
    headers: Object.fromEntries(Object.entries(headers ?? {})),
  }
}
