// Token exchange (RFC 8693): the authority of the token that an agent was called with, to act with it
// at another agent.
import type { AuthorizationDetailsClaim, SubjectToken } from '@deputy/auth/protocol'
import type { RequestToken } from './access-token.ts'
import { createTokenRequest, type TokenRequestOptions } from './token-request.ts'

const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'

export type TokenExchangeRequestOptions = TokenRequestOptions & {
  /** What this agent was called with; or what gives its own token, where it begins the work. */
  readonly subjectToken: SubjectToken | (() => Promise<SubjectToken>)
  /** Limits beside those that the subject token has: they can only narrow (RFC 9396). */
  readonly limits?: AuthorizationDetailsClaim | undefined
}

/** Creates the request. Throws `TypeError` as `createTokenRequest` does. */
export function createTokenExchangeRequest(options: TokenExchangeRequestOptions): RequestToken {
  const { limits, subjectToken } = options
  return createTokenRequest(options, {
    type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    getParameters: async () => {
      const token = typeof subjectToken === 'function' ? await subjectToken() : subjectToken
      return {
        subject_token: token.reveal(),
        subject_token_type: ACCESS_TOKEN_TYPE,
        ...(limits === undefined ? {} : { authorization_details: JSON.stringify(limits) }),
      }
    },
  })
}
