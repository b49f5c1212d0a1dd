import type { Clock } from '@deputy/auth/protocol'
import type { AccessToken, RequestToken } from './access-token.ts'
import { Authorization, type Authorizer } from './authorization.ts'
import { createTokenManager } from './token-manager.ts'

export type BearerAuthorizerOptions = {
  readonly requestToken: RequestToken
  readonly clock?: Clock | undefined
  /** How long before its end a token is renewed. Default 60 seconds. */
  readonly renewBeforeSeconds?: number | undefined
}

/** Authorizes calls with tokens that are asked for as they are needed. */
export function createBearerAuthorizer(options: BearerAuthorizerOptions): Authorizer {
  const manager = createTokenManager(options)
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
