// POST /oauth/token (RFC 6749 §3.2): who is calling, then which grant, then the grant itself, then the
// token; the answer goes out once the audit trail has it.
import { formatRateLimitHeaders, type RateLimitState } from '@deputy/auth'
import type { AuditLog } from '../audit/audit-log.ts'
import type { AuthenticateClient } from '../clients/client-authentication.ts'
import type { ClientMemory, ClientView } from '../clients/client-memory.ts'
import type { DpopBinding } from '../dpop/dpop-binding.ts'
import type { GrantType } from '../grants/grant.ts'
import type { Endpoint, OAuthAnswer, OAuthRequest } from '../http/oauth-request.ts'
import { OAuthError } from '../oauth-error.ts'
import type { IssueGrantedToken } from '../tokens/issue-granted-token.ts'
import { createAuditedEndpoint, describeRequest } from './audited.ts'
import { parseFormBody, type FormBody } from './form-body.ts'

/** Grants by their names, as `grant_type` and metadata have them. */
export type GrantTypes = Readonly<Record<string, GrantType>>

export type TokenEndpointOptions = {
  readonly authenticateClient: AuthenticateClient
  readonly clientMemory: ClientMemory
  readonly grantTypes: GrantTypes
  readonly issueToken: IssueGrantedToken
  readonly dpop: DpopBinding
  readonly audit: AuditLog
}

/** How often a request is decided by what is remembered, before it is decided by the store alone. */
const MAX_ATTEMPTS = 3

/** Creates the endpoint. */
export function createTokenEndpoint(options: TokenEndpointOptions): Endpoint {
  const { audit, authenticateClient, clientMemory, dpop, grantTypes, issueToken } = options

  return createAuditedEndpoint(audit, 'token.refused', async (request, trail) => {
    const body = await parseFormBody(request)
    trail.note({ scope: body.get('scope'), audience: body.get('audience') })
    const { headers, remoteAddress } = request
    const { authorization } = headers
    const context = describeRequest(request)
    /** What is left of the client's calls: a request counts once, however often it is looked at. */
    let counted: { readonly rateLimit: RateLimitState | undefined } | undefined

    async function attempt(clients: ClientView): Promise<OAuthAnswer | undefined> {
      const { agent, credentialId, rateLimit } = await authenticateClient({
        authorization,
        body,
        trail,
        remoteAddress,
        clients,
        isCounted: counted !== undefined,
      })
      counted ??= { rateLimit }
      const confirmation = await dpop.bind(request, { isRequired: agent.dpopBoundAccessTokens })
      const grantType = findGrantType(grantTypes, body)
      const grant = await grantType({
        client: agent,
        credentialId,
        confirmation,
        body,
        clients,
        context,
        trail,
      })
      const response = await issueToken({
        grant,
        client: { agent, credentialId },
        confirmation,
        basis: clients.basis(),
        context,
      })
      return response && { headers: toHeaders(counted.rateLimit), body: response }
    }

    for (let attempts = 0; attempts < MAX_ATTEMPTS && isRepeatable(request, body); attempts += 1) {
      const clients = clientMemory.open()
      try {
        const answer = await attempt(clients)
        if (answer !== undefined) return answer
      } catch (error) {
        // What is refused by what is remembered must be refused by what is there.
        if (!(error instanceof OAuthError) || (await clients.isCurrent())) throw error
      }
      await clientMemory.catchUp()
    }
    const answer = await attempt(clientMemory.openFresh())
    if (answer !== undefined) return answer
    throw new Error('what was read for this request alone cannot be outdated')
  })

  function toHeaders(rateLimit: RateLimitState | undefined) {
    return {
      ...dpop.nonceHeaders(),
      ...formatRateLimitHeaders(rateLimit === undefined ? [] : [rateLimit]),
    }
  }
}

/**
 * Whether a request may be decided twice. An assertion and a proof are good once: looked at again, they
 * would be taken for replayed ones. And `authorization_details` may ask for an approval, which is an act.
 */
function isRepeatable({ headers }: OAuthRequest, body: FormBody): boolean {
  const isOnce = headers['dpop'] !== undefined || body.has('client_assertion')
  return !isOnce && !body.has('authorization_details')
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
