// Calls over HTTP: those of the same moment that share a token share a request. Subscriptions have one each.
import { httpBatchLink, type OperationLink, type TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { readAuthorization } from './auth-link.ts'
import type { Authorization } from './authorization.ts'
import { refuseGatewayAnswers } from './error/gateway-answer.ts'
import type { FetchLike } from './fetch-like.ts'
import { MAX_URL_CHARS, sendRequest, type HttpRequest } from './http-request.ts'
import { toTraceHeaders } from './links/trace-context.ts'
import { createSseLink } from './sse-link.ts'
import type { PlainRouter, Transport } from './transport.ts'

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
    const subscribe = createSseLink<Router>(url, fetchWith)(runtime)

    function openBatch(authorization: Authorization): OperationLink<Router> {
      const open = httpBatchLink<PlainRouter>({
        url,
        maxURLLength: MAX_URL_CHARS,
        maxItems: MAX_BATCH_SIZE,
        headers: ({ opList }) => toTraceHeaders(opList),
        fetch: async (input, init) =>
          sendRequest(fetchWith, authorization, { url: String(input), ...toInit(init) }),
      })(runtime)
      batches.set(authorization, open)
      return open
    }

    return (call) => {
      if (call.op.type === 'subscription') return subscribe(call)
      const authorization = readAuthorization(call.op)
      return (batches.get(authorization) ?? openBatch(authorization))(call)
    }
  }
  return { link, close: async () => undefined }
}

/** What tRPC's link gives to `fetch`, of which it uses these. */
function toInit(init: unknown): Omit<HttpRequest, 'url'> {
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
