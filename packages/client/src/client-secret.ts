import type { Clock } from '@deputy/auth/protocol'
import type { Credentials } from './authorization.ts'
import { createBearerAuthorizer } from './bearer-authorizer.ts'
import { createClientCredentialsRequest } from './client-credentials-request.ts'

export type ClientSecretOptions = {
  /** The authorization server that knows this client. The secret is sent to it and nowhere else. */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** The id of a task grant that was opened for this client: every token stands on it, within its limits. */
  readonly taskGrant?: string | undefined
  readonly fetch?: typeof fetch | undefined
  readonly clock?: Clock | undefined
  /** How long before its end a token is renewed. Default 60 seconds. */
  readonly renewBeforeSeconds?: number | undefined
}

/**
 * Credentials by client id and secret (RFC 6749 §4.4). Each client made with them has a token of its
 * own, for its audience and scopes.
 */
export function clientSecret(options: ClientSecretOptions): Credentials {
  return (target) => {
    const requestToken = createClientCredentialsRequest({ ...options, ...target })
    return createBearerAuthorizer({ ...options, requestToken })
  }
}
