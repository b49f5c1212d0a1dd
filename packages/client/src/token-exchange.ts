import type { AuthorizationDetailsClaim, SubjectToken } from '@deputy/auth/protocol'
import type { Credentials } from './authorization.ts'
import { createBearerAuthorizer } from './bearer-authorizer.ts'
import type { ClientSecretOptions } from './client-secret.ts'
import { createTokenExchangeRequest } from './token-exchange-request.ts'

export type TokenExchangeOptions = Omit<ClientSecretOptions, 'taskGrant'> & {
  /**
   * What this agent was called with: `ctx.getSubjectToken()` in a handler. A function gives the agent's
   * own token, where it begins the work itself: asked each time, so that it can be a renewed one.
   */
  readonly subjectToken: SubjectToken | (() => Promise<SubjectToken>)
  /** Limits beside those that the subject token has: they can only narrow (RFC 9396). */
  readonly limits?: AuthorizationDetailsClaim | undefined
}

/**
 * Credentials to act for whoever called this agent (RFC 8693): the tokens say whose authority it is
 * (`sub`) and who acts (`act`), carry no more than the subject token did, and end with it. Name the
 * scopes that the calls need: they are all that is asked for.
 */
export function tokenExchange(options: TokenExchangeOptions): Credentials {
  return (target) => {
    const requestToken = createTokenExchangeRequest({ ...options, ...target })
    return createBearerAuthorizer({ ...options, requestToken })
  }
}
