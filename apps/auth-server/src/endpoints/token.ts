// POST /oauth/token (RFC 6749 §3.2): who is calling, then which grant, then the grant itself, then the
// token; the answer goes out once the audit trail has it.
import { formatRateLimitHeaders } from '@deputy/auth'
import type { AuditLog } from '../audit/audit-log.ts'
import type { AuthenticateClient } from '../clients/client-authentication.ts'
import type { DpopBinding } from '../dpop/dpop-binding.ts'
import type { GrantType } from '../grants/grant.ts'
import type { Endpoint } from '../http/oauth-request.ts'
import { OAuthError } from '../oauth-error.ts'
import type { IssueGrantedToken } from '../tokens/issue-granted-token.ts'
import { createAuditedEndpoint, describeRequest } from './audited.ts'
import { parseFormBody, type FormBody } from './form-body.ts'

/** Grants by their names, as `grant_type` and metadata have them. */
export type GrantTypes = Readonly<Record<string, GrantType>>

export type TokenEndpointOptions = {
  readonly authenticateClient: AuthenticateClient
  readonly grantTypes: GrantTypes
  readonly issueToken: IssueGrantedToken
  readonly dpop: DpopBinding
  readonly audit: AuditLog
}

/** Creates the endpoint. */
export function createTokenEndpoint(options: TokenEndpointOptions): Endpoint {
  const { audit, authenticateClient, dpop, grantTypes, issueToken } = options

  return createAuditedEndpoint(audit, 'token.refused', async (request, trail) => {
    const body = await parseFormBody(request)
    trail.note({ scope: body.get('scope'), audience: body.get('audience') })
    const { headers, remoteAddress } = request
    const { authorization } = headers
    const { agent, credentialId, rateLimit } = await authenticateClient({
      authorization,
      body,
      trail,
      remoteAddress,
    })
    const confirmation = await dpop.bind(request, { isRequired: agent.dpopBoundAccessTokens })
    const grantType = findGrantType(grantTypes, body)
    const context = describeRequest(request)
    const grant = await grantType({
      client: agent,
      credentialId,
      confirmation,
      body,
      context,
      trail,
    })
    const response = await issueToken({
      grant,
      client: { agent, credentialId },
      confirmation,
      context,
    })
    return {
      headers: {
        ...dpop.nonceHeaders(),
        ...formatRateLimitHeaders(rateLimit === undefined ? [] : [rateLimit]),
      },
      body: response,
    }
  })
}

function findGrantType(grantTypes: GrantTypes, body: FormBody): GrantType {
  const name = body.get('grant_type')
  if (name === undefined) {
    throw new OAuthError({ code: 'invalid_request', message: 'grant_type is missing' })
  }
  const grantType = Object.hasOwn(grantTypes, name) ? grantTypes[name] : undefined
  if (grantType !== undefined) return grantType
  throw new OAuthError({
    code: 'unsupported_grant_type',
    message: `grant_type must be one of: ${Object.keys(grantTypes).join(', ')}`,
  })
}
