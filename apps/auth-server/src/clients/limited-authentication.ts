import { OAuthError } from '../oauth-error.ts'
import type { AuthenticateClient, AuthenticationRequest } from './client-authentication.ts'
import type { ClientLimits } from './client-limits.ts'

export type LimitedAuthenticationOptions = {
  readonly authenticateClient: AuthenticateClient
  readonly limits: ClientLimits
}

/** Wraps the authentication of clients. Rejects with 429 as well. */
export function createLimitedAuthentication(
  options: LimitedAuthenticationOptions,
): AuthenticateClient {
  const { authenticateClient, limits } = options

  async function authenticate(request: AuthenticationRequest) {
    let clientId: string | undefined
    const trail: AuthenticationRequest['trail'] = {
      note(known) {
        clientId = known.actorId ?? clientId
        request.trail.note(known)
      },
    }
    try {
      return await authenticateClient({ ...request, trail })
    } catch (error) {
      if (!(error instanceof OAuthError) || error.code !== 'invalid_client') throw error
      throw await limits.countFailure(error, { clientId, address: request.remoteAddress })
    }
  }

  return async (request) => {
    const client = await authenticate(request)
    if (request.isCounted === true) return client
    return { ...client, rateLimit: await limits.count(client.agent) }
  }
}
