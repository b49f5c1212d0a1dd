// The side of an authorization server that hands out tokens, through an injected `fetch`.
import { ISSUER } from './test-issuer.ts'

export type TokenRequest = {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  readonly form: URLSearchParams
}

/** Answers the request at this place (the first is 0). */
export type AnswerTokenRequest = (at: number) => Response | Promise<Response>

/** A good answer of the token endpoint (RFC 6749 §5.1). */
export function tokenAnswer(token: string, changes: Record<string, unknown> = {}): Response {
  return Response.json({
    access_token: token,
    token_type: 'Bearer',
    expires_in: 900,
    scope: 'billing:read',
    ...changes,
  })
}

/** Serves metadata and tokens; keeps the requests for tokens. */
export function createFakeTokenEndpoint(
  answer: AnswerTokenRequest = (at) => tokenAnswer(`token-${String(at + 1)}`),
) {
  const requests: TokenRequest[] = []
  const discoveries: string[] = []
  let metadata: Record<string, unknown> = {}
  const fetchWith: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    if (request.url === `${ISSUER}/token`) {
      const form = new URLSearchParams(await request.text())
      requests.push({ url: request.url, method: request.method, headers: request.headers, form })
      return answer(requests.length - 1)
    }
    discoveries.push(request.url)
    return Response.json({
      issuer: ISSUER,
      token_endpoint: `${ISSUER}/token`,
      jwks_uri: `${ISSUER}/jwks`,
      response_types_supported: [],
      ...metadata,
    })
  }
  return {
    fetch: fetchWith,
    /** Requests for a token, in order. */
    requests,
    /** URLs that were asked for metadata, in order. */
    discoveries,
    /** Changes what the metadata says. */
    setMetadata(changes: Record<string, unknown>) {
      metadata = changes
    },
  }
}
