// One request to an agent, with its authorization.
import type { Authorization } from './authorization.ts'
import type { FetchLike, FetchLikeAnswer } from './fetch-like.ts'

export type HttpRequest = {
  readonly url: string
  readonly method: string
  readonly headers: Record<string, string>
  readonly body: string | null
  readonly signal: AbortSignal | null
}

/** Longest URL that anything is sent with, in characters. */
export const MAX_URL_CHARS = 8000

/** Sends a request, and once more where a proof (RFC 9449) was refused for want of a nonce. */
export async function sendRequest(
  fetchWith: FetchLike,
  authorization: Authorization,
  { body, headers, method, signal, url }: HttpRequest,
): Promise<FetchLikeAnswer> {
  const attempt = async (): Promise<FetchLikeAnswer> =>
    fetchWith(url, {
      method,
      body,
      signal,
      headers: { ...headers, ...(await authorization.toRequestHeaders({ method, url })) },
      // Attack prevented: a redirect to another host, to which `fetch` would take the API key along.
      redirect: 'manual',
    })
  const answer = await attempt()
  if (!authorization.observe(url, answer)) return answer
  await answer.json().catch(() => undefined)
  return attempt()
}
