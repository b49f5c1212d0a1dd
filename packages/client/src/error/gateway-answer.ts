import type { FetchLike } from '../fetch-like.ts'
import { ClientError } from './client-error.ts'
import { readRetryAfter } from './retry-after.ts'

/**
 * Rejects with what an answer says that did not come from the agent but from something before it: its
 * status and `Retry-After`. tRPC's batches would only tell that its body is not JSON. A redirect is refused
 * as `fetch` refuses one that it may not follow.
 */
export function refuseGatewayAnswers(fetchWith: FetchLike): FetchLike {
  return async (url, init) => {
    const answer = await fetchWith(url, init)
    const { headers, status } = answer
    // A browser shows no more of a redirect than that there was one: status 0.
    if (status === 0 || (status >= 300 && status < 400)) {
      await answer.json().catch(() => undefined)
      throw new TypeError('fetch failed', { cause: new Error('unexpected redirect') })
    }
    if (status < 500 && status !== 429) return answer
    if (headers.get('content-type')?.includes('json') === true) return answer
    // Read, so that its connection can be used again.
    await answer.json().catch(() => undefined)
    throw new ClientError({
      code: 'network_error',
      message: `something before the agent answered with ${String(status)}`,
      hint: 'Check that the agent is running, and what stands before it.',
      status,
      retryAfterSeconds: readRetryAfter(headers),
    })
  }
}
