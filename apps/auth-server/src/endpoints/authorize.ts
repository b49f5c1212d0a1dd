// GET /oauth/authorize: there is no interactive sign-in, and the endpoint says so. It is in the
// metadata because clients of MCP refuse a server whose metadata has none, even when they only use
// client credentials.
import { OAuthError } from '../oauth-error.ts'
import type { Endpoint } from '../http/oauth-request.ts'

/** Answers that agents get their tokens at the token endpoint. Never redirects: nobody signs in here. */
export const authorizeEndpoint: Endpoint = () => {
  throw new OAuthError({
    code: 'unsupported_response_type',
    message:
      'no person signs in here: agents get tokens at the token endpoint, with grant_type=client_credentials',
  })
}
