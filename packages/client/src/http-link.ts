// Calls over HTTP: those of the same moment that share a token share a request. Subscriptions have one each.
import type { OperationLink, TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { readAuthorization } from './auth-link.ts'
import type { Authorization } from './authorization.ts'
import { refuseGatewayAnswers } from './error/gateway-answer.ts'
import type { FetchLike } from './fetch-like.ts'
import { createBatchLink } from './http-batch.ts'
import { sendRequest } from './http-request.ts'
import { createSseLink } from './sse-link.ts'
import type { Transport } from './transport.ts'

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
      const open = createBatchLink<Router>(url, async (request) =>
        sendRequest(fetchWith, authorization, request),
      )
      batches.set(authorization, open)
      return open
    }

    return (call) => {
      if (call.op.type === 'subscription') return subscribe(call)
      const authorization = readAuthorization(call.op)
      return (batches.get(authorization) ?? openBatch(authorization))(call)
    }
  }
  // Connections are those of `fetch`.
  return { link, close: async () => undefined }
}
