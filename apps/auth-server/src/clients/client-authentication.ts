// Finds out which client is calling, by `client_secret_basic` or `client_secret_post` (RFC 6749
// §2.3.1). An unknown client and a wrong secret get the same answer for the same work.
import type { Clock } from '@deputy/auth/protocol'
import type { Agent } from '../agents/agent.ts'
import type { AgentStore } from '../agents/agent-store.ts'
import type { FormBody } from '../endpoints/form-body.ts'
import { OAuthError } from '../oauth-error.ts'
import { hashSecret, isSameHash } from '../secret-hash.ts'
import type { ClientSecretStore } from './client-secret-store.ts'

/** How clients may authenticate, as metadata has it (RFC 8414 §2). */
export const CLIENT_AUTHENTICATION_METHODS = ['client_secret_basic', 'client_secret_post'] as const

/** Answers the agent that is calling. Rejects with `OAuthError`. */
export type AuthenticateClient = (
  authorization: string | undefined,
  body: FormBody,
) => Promise<Agent>

export type ClientAuthenticationOptions = {
  readonly agents: AgentStore
  readonly clientSecrets: ClientSecretStore
  readonly clock: Clock
}

/** Compared with when there is nothing to compare with, so that the work is the same. */
const NO_SECRET = { secretHash: hashSecret(''), isLive: false, id: '' }

/** Creates the check that the token and introspection endpoints begin with. */
export function createClientAuthentication(
  options: ClientAuthenticationOptions,
): AuthenticateClient {
  const { agents, clientSecrets, clock } = options

  return async (authorization, body) => {
    const { id, secret } =
      authorization === undefined ? readPost(body) : readBasic(authorization, body)
    const now = clock.now()
    const agent = await agents.find(id)
    const stored = await clientSecrets.listByAgent(id)
    const candidates = stored.map((record) => ({
      id: record.id,
      secretHash: record.secretHash,
      isLive:
        record.deactivatedAt === undefined &&
        (record.expiresAt === undefined || record.expiresAt > now),
    }))
    const presented = hashSecret(secret)
    const match = (candidates.length > 0 ? candidates : [NO_SECRET]).find(
      (candidate) => isSameHash(candidate.secretHash, presented) && candidate.isLive,
    )
    if (match === undefined || agent === undefined || agent.state !== 'active') {
      throw invalidClient('the client is unknown or inactive, or its secret is wrong')
    }
    await clientSecrets.touch(match.id, now)
    return agent
  }
}

type PresentedSecret = { readonly id: string; readonly secret: string }

function readBasic(authorization: string, body: FormBody): PresentedSecret {
  // > The client MUST NOT use more than one authentication method in each request. (§2.3)
  if (body.has('client_secret')) {
    throw new OAuthError({
      code: 'invalid_request',
      message: 'authenticate by the Authorization header or by client_secret, not by both',
    })
  }
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1]
  if (encoded === undefined) {
    throw invalidClient('the Authorization header must be "Basic" and base64 text')
  }
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  const id = colon > 0 ? decodeFormText(text.slice(0, colon)) : undefined
  const secret = colon > 0 ? decodeFormText(text.slice(colon + 1)) : undefined
  if (id === undefined || secret === undefined || secret === '') {
    throw invalidClient('the Basic credentials must be form-encoded client_id:client_secret')
  }
  if (body.has('client_id') && body.get('client_id') !== id) {
    throw new OAuthError({
      code: 'invalid_request',
      message: 'client_id differs from the one in the Authorization header',
    })
  }
  return { id, secret }
}

function readPost(body: FormBody): PresentedSecret {
  const id = body.get('client_id')
  const secret = body.get('client_secret')
  if (id === undefined || secret === undefined) {
    throw invalidClient('send client_id and client_secret, by HTTP Basic or in the body')
  }
  return { id, secret }
}

/** Undoes application/x-www-form-urlencoded; `undefined` where it is not. */
function decodeFormText(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

/**
 * > The server generating a 401 response MUST send a WWW-Authenticate header field (RFC 9110 §15.5.2)
 *
 * RFC 6749 §5.2 asks for it only where the header was used; HTTP asks for it always.
 */
function invalidClient(message: string): OAuthError {
  const headers = { 'www-authenticate': 'Basic realm="deputy"' }
  return new OAuthError({ code: 'invalid_client', message, status: 401, headers })
}
