// POST /oauth/introspect (RFC 7662): for authenticated agents, about what is meant for them.
import type { AuditLog } from '../audit/audit-log.ts'
import type { AuthenticateClient } from '../clients/client-authentication.ts'
import type { Endpoint } from '../http/oauth-request.ts'
import { OAuthError } from '../oauth-error.ts'
import type { IntrospectFor } from '../tokens/introspection.ts'
import { createAuditedEndpoint } from './audited.ts'
import { parseFormBody } from './form-body.ts'

export type IntrospectEndpointOptions = {
  readonly authenticateClient: AuthenticateClient
  readonly introspect: IntrospectFor
  readonly audit: AuditLog
}

/** Creates the endpoint. */
export function createIntrospectEndpoint(options: IntrospectEndpointOptions): Endpoint {
  const { audit, authenticateClient, introspect } = options

  return createAuditedEndpoint(audit, 'introspection.refused', async (request, trail) => {
    const body = await parseFormBody(request)
    const { headers, remoteAddress } = request
    const { authorization } = headers
    const { agent } = await authenticateClient({
      authorization,
      body,
      trail,
      remoteAddress,
    })
    const token = body.get('token')
    if (token === undefined) {
      throw new OAuthError({ code: 'invalid_request', message: 'token is missing' })
    }
    return { body: await introspect(agent, token) }
  })
}
