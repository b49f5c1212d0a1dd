// Finds out which client is calling (RFC 6749 §2.3). An unknown client and a wrong secret get the same
// answer for the same work: one look-up by the hash of what was sent.
import type { RateLimitState } from '@deputy/auth'
import type { Clock } from '@deputy/auth/protocol'
import type { Client } from '../agents/agent.ts'
import { isLive } from '../credentials/credential.ts'
import type { UseLog } from '../credentials/use-log.ts'
import type { Trail } from '../endpoints/audited.ts'
import type { FormBody } from '../endpoints/form-body.ts'
import { hashSecret } from '../secret-hash.ts'
import type { ClientAssertionVerifier } from './client-assertion.ts'
import { toClientAssertionError } from './client-assertion-refusal.ts'
import type { ClientDirectory } from './client-directory.ts'
import {
  invalidClient,
  readPresentedCredentials,
  type PresentedCredentials,
} from './presented-credentials.ts'

/** How clients may authenticate, as metadata has it (RFC 8414 §2). */
export const CLIENT_AUTHENTICATION_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
] as const

/** A client that proved who it is. */
export type AuthenticatedClient = {
  readonly agent: Client
  /** Id of the secret or key that proved it. */
  readonly credentialId: string
  /** What is left of its calls, where they are counted. */
  readonly rateLimit?: RateLimitState | undefined
}

export type AuthenticationRequest = {
  /** The `Authorization` header. */
  readonly authorization: string | undefined
  readonly body: FormBody
  /** Told whom the client claims to be, then who it is. */
  readonly trail: Trail
  readonly remoteAddress: string
  /** Where secrets are looked up. Default: the store. */
  readonly clients?: Pick<ClientDirectory, 'findBySecret'> | undefined
  /** Whether this request is among the client's calls already, since it is looked at again. */
  readonly isCounted?: boolean | undefined
}

/** Answers who is calling. Rejects with `OAuthError`. */
export type AuthenticateClient = (request: AuthenticationRequest) => Promise<AuthenticatedClient>

export type ClientAuthenticationOptions = {
  readonly clients: Pick<ClientDirectory, 'findBySecret'>
  readonly uses: Pick<UseLog, 'note'>
  readonly assertions: ClientAssertionVerifier
  readonly clock: Clock
}

/** Creates the check that the endpoints for clients begin with. */
export function createClientAuthentication(
  options: ClientAuthenticationOptions,
): AuthenticateClient {
  const { assertions, clock, uses } = options

  async function verifySecret(
    presented: PresentedSecret,
    clients: Pick<ClientDirectory, 'findBySecret'>,
  ): Promise<AuthenticatedClient> {
    const now = clock.now()
    const known = await clients.findBySecret(hashSecret(presented.secret))
    const reason = findFault(known, presented.clientId, now)
    if (known === undefined || reason !== undefined) {
      throw invalidClient('the client is unknown or inactive, or its secret is wrong', reason)
    }
    uses.note(known.credentialId, now)
    return { agent: known.agent, credentialId: known.credentialId }
  }

  async function verifyAssertion(presented: PresentedAssertion): Promise<AuthenticatedClient> {
    const verified = await assertions.verify(presented)
    if (!verified.ok) throw toClientAssertionError(verified.refusal)
    return verified.value
  }

  return async ({ authorization, body, clients = options.clients, trail }) => {
    trail.note({ actorId: body.get('client_id') })
    const presented = readPresentedCredentials(authorization, body)
    trail.note({ actorId: presented.clientId })
    const client =
      presented.method === 'private_key_jwt'
        ? await verifyAssertion(presented)
        : await verifySecret(presented, clients)
    const { agent, credentialId } = client
    trail.note({ actorId: agent.id, ownerId: agent.ownerId, credentialId })
    return client
  }
}

type PresentedAssertion = Extract<PresentedCredentials, { readonly assertion: string }>
type PresentedSecret = Extract<PresentedCredentials, { readonly secret: string }>

/** What is wrong with the secret, for the audit trail only. */
function findFault(
  known: Awaited<ReturnType<ClientDirectory['findBySecret']>>,
  clientId: string,
  now: number,
): string | undefined {
  if (known === undefined) return 'client_unknown_or_secret_wrong'
  // Attack prevented: one's own secret used in the name of another.
  if (known.agent.id !== clientId) return 'secret_of_another_client'
  if (known.agent.state !== 'active') return 'agent_inactive'
  if (known.deactivatedAt !== undefined) return 'secret_deactivated'
  return isLive(known, now) ? undefined : 'secret_expired'
}
