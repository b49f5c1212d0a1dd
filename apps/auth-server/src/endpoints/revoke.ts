// POST /oauth/revoke (RFC 7009): an agent ends a token or a key of its own.
import type { AuditLog } from '../audit/audit-log.ts'
import type { AuthenticateClient } from '../clients/client-authentication.ts'
import type { Endpoint } from '../http/oauth-request.ts'
import { OAuthError } from '../oauth-error.ts'
import type { RevokeFor } from '../tokens/revocation.ts'
import { createAuditedEndpoint, describeRequest } from './audited.ts'
import { parseFormBody } from './form-body.ts'

export type RevokeEndpointOptions = {
  readonly authenticateClient: AuthenticateClient
  readonly revoke: RevokeFor
  readonly audit: AuditLog
}

/** Creates the endpoint. */
export function createRevokeEndpoint(options: RevokeEndpointOptions): Endpoint {
  const { audit, authenticateClient, revoke } = options

  return createAuditedEndpoint(audit, 'token.revocation_refused', async (request, trail) => {
    const body = await parseFormBody(request)
    const { headers, remoteAddress } = request
    const { authorization } = headers
    const { agent, credentialId } = await authenticateClient({
      authorization,
      body,
      trail,
      remoteAddress,
    })
    const token = body.get('token')
    if (token === undefined) {
      throw new OAuthError({ code: 'invalid_request', message: 'token is missing' })
    }
    // `token_type_hint` is not needed: the text itself shows what it is (§2.1 lets the server ignore it).
    await revoke(agent, token, { ...describeRequest(request), credentialId })
    // > The authorization server responds with HTTP status code 200 if the token has been revoked
    // > successfully or if the client submitted an invalid token. (§2.2)
    return { body: {} }
  })
}
