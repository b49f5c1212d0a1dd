// The platform's `fetch`, or another one, as the way to the issuer.
import type { SendToIssuer } from './issuer-request.ts'

/** Creates the adapter. */
export function createFetchRequests(fetchWith: typeof fetch): SendToIssuer {
  return async (url, { form, headers, signal }) => {
    const response = await fetchWith(url, {
      redirect: 'error',
      signal,
      headers,
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    })
    const { body, status } = response
    return {
      status,
      body: body ?? NOTHING,
      discard: async () => body?.cancel(),
    }
  }
}

const NOTHING: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {
    // No body, no chunk.
  },
}
