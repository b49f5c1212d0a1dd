import { httpBatchLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { readAuthorization } from './auth-link.ts'
import type { PlainRouter, Transport } from './transport.ts'

/** Longest URL that a query is sent with, in characters; longer batches are split. */
const MAX_URL_CHARS = 8000

/** Most calls in one request: what Deputy's agents take by default. */
const MAX_BATCH_SIZE = 100

/** Creates the sending link for HTTP: calls of the same moment share a request. */
export function createHttpTransport<Router extends AnyTRPCRouter>(
  url: string,
  fetchWith: typeof fetch = fetch,
): Transport<Router> {
  const link = httpBatchLink<PlainRouter>({
    url,
    maxURLLength: MAX_URL_CHARS,
    maxItems: MAX_BATCH_SIZE,
    // A batch has one set of headers: its calls share one token, and the latest one serves them all.
    headers: ({ opList }) => readAuthorization(opList.at(-1) ?? opList[0]).toHeaders(),
    fetch: async (input, init) =>
      fetchWith(input, {
        ...init,
        signal: init?.signal ?? null,
        // Attack prevented: a redirect to another host, to which `fetch` would take the API key along.
        redirect: 'error',
      }),
  })
  return { link, close: async () => undefined }
}
