import { SubjectToken } from '@deputy/auth/protocol'
import type { AuthorizationTarget, Credentials } from '../authorization.ts'
import { describe } from './describe.ts'
import type { OAuthClient, TokenGrant } from './oauth-client.ts'

/**
 * Credentials of a client of an authorization server (RFC 6749 §4.4). Whatever is made of them, like
 * `taskGrant` and `tokenExchange`, has its tokens in the same place: one for each audience, scope set,
 * subject and key.
 */
export type ClientCredentials = Credentials & {
  readonly client: OAuthClient
  readonly grant: TokenGrant
  /**
   * Gives the client's own token for this target, to be exchanged where the client begins the work itself.
   * Asked each time, so that it can be a renewed one.
   */
  toSubject(target: AuthorizationTarget): () => Promise<SubjectToken>
}

/** Wraps a client and a grant. */
export function toClientCredentials(
  client: OAuthClient,
  grant: TokenGrant,
  description: string,
): ClientCredentials {
  const credentials: Credentials = (target) => client.createAuthorizer(target, grant)
  return describe(
    Object.assign(credentials, {
      client,
      grant,
      toSubject: (target: AuthorizationTarget) => async () =>
        new SubjectToken((await client.getToken(target, grant)).reveal()),
    }),
    description,
  )
}
