import type { Clock } from '@deputy/auth/protocol'
import type { AccessToken } from './access-token.ts'
import { Authorization, type Credentials } from './authorization.ts'
import { createClientCredentialsRequest } from './client-credentials-request.ts'
import { createTokenManager } from './token-manager.ts'

export type ClientSecretOptions = {
  /** The authorization server that knows this client. The secret is sent to it and nowhere else. */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
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
    const manager = createTokenManager({
      requestToken: createClientCredentialsRequest({ ...options, ...target }),
      clock: options.clock,
      renewBeforeSeconds: options.renewBeforeSeconds,
    })
    let latest: { readonly token: AccessToken; readonly authorization: Authorization } | undefined

    return {
      async authorize() {
        const token = await manager.getToken()
        // One token is one authorization, by identity: links compare and batch by it.
        if (latest?.token !== token) {
          const authorization = new Authorization({ authorization: `Bearer ${token.value}` })
          latest = { token, authorization }
        }
        return latest.authorization
      },

      renew(refused) {
        if (latest?.authorization === refused) manager.discard(latest.token)
        return true
      },
    }
  }
}
