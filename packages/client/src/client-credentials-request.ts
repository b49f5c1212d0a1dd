// The client credentials grant (RFC 6749 §4.4).
import type { RequestToken } from './access-token.ts'
import { createTokenRequest, type TokenRequestOptions } from './token-request.ts'

export type ClientCredentialsRequestOptions = TokenRequestOptions & {
  /** The id of a task grant that was opened for this client: the token stands on it, within its limits. */
  readonly taskGrant?: string | undefined
}

/** Creates the request. Throws `TypeError` as `createTokenRequest` does. */
export function createClientCredentialsRequest(
  options: ClientCredentialsRequestOptions,
): RequestToken {
  const { taskGrant } = options
  const details = [{ type: 'task_grant', identifier: taskGrant }]
  return createTokenRequest(options, {
    type: 'client_credentials',
    getParameters: async () =>
      taskGrant === undefined ? {} : { authorization_details: JSON.stringify(details) },
  })
}
