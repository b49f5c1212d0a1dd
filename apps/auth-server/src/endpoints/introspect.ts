// POST /oauth/introspect (RFC 7662): for authenticated agents, about what is meant for them.
import type { Handler } from 'hono'
import type { AuthenticateClient } from '../clients/client-authentication.ts'
import { OAuthError } from '../oauth-error.ts'
import type { IntrospectFor } from '../tokens/introspection.ts'
import { parseFormBody } from './form-body.ts'

export type IntrospectEndpointOptions = {
  readonly authenticateClient: AuthenticateClient
  readonly introspect: IntrospectFor
}

/** Creates the endpoint. */
export function createIntrospectEndpoint(options: IntrospectEndpointOptions): Handler {
  const { authenticateClient, introspect } = options

  return async (context) => {
    const body = await parseFormBody(context)
    const resource = await authenticateClient(context.req.header('authorization'), body)
    const token = body.get('token')
    if (token === undefined) {
      throw new OAuthError({ code: 'invalid_request', message: 'token is missing' })
    }
    return context.json(await introspect(resource, token))
  }
}
