// POST /oauth/token (RFC 6749 §3.2): who is calling, then which grant, then the grant itself.
import type { Logger } from '@deputy/serve'
import type { Handler } from 'hono'
import type { AuthenticateClient } from '../clients/client-authentication.ts'
import type { ClientCredentialsGrant } from '../grants/client-credentials.ts'
import { OAuthError } from '../oauth-error.ts'
import { parseFormBody } from './form-body.ts'

export type TokenEndpointOptions = {
  readonly authenticateClient: AuthenticateClient
  readonly clientCredentials: ClientCredentialsGrant
  readonly logger: Logger
}

/** Grants that the endpoint knows, as metadata has them. */
export const GRANT_TYPES = ['client_credentials'] as const

/** Creates the endpoint. */
export function createTokenEndpoint(options: TokenEndpointOptions): Handler {
  const { authenticateClient, clientCredentials, logger } = options

  return async (context) => {
    const body = await parseFormBody(context)
    const client = await authenticateClient(context.req.header('authorization'), body)
    const grantType = body.get('grant_type')
    if (grantType === undefined) {
      throw new OAuthError({ code: 'invalid_request', message: 'grant_type is missing' })
    }
    if (grantType !== 'client_credentials') {
      throw new OAuthError({
        code: 'unsupported_grant_type',
        message: `grant_type must be one of: ${GRANT_TYPES.join(', ')}`,
      })
    }
    const answer = await clientCredentials(client, body)
    logger.info({ clientId: client.id, scope: answer.scope }, 'issued an access token')
    return context.json(answer)
  }
}
