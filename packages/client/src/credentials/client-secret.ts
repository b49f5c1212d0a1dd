import * as oauth from 'oauth4webapi'
import { toClientCredentials, type ClientCredentials } from './client-credentials.ts'
import { createOAuthClient, type OAuthClientSettings } from './oauth-client.ts'

export type ClientSecretOptions = OAuthClientSettings & {
  /** The authorization server that knows this client. The secret is sent to it and nowhere else. */
  readonly issuer: string
  readonly clientSecret: string
}

/** Credentials by client id and secret (RFC 6749 §4.4, `client_secret_basic`). */
export function clientSecret(options: ClientSecretOptions): ClientCredentials {
  const { clientId, clientSecret: secret, issuer, ...settings } = options
  const authenticate = oauth.ClientSecretBasic(secret)
  const client = createOAuthClient({ ...settings, clientId, issuer, authenticate })
  const grant = { type: 'client_credentials', toKey: () => 'client_credentials' }
  return toClientCredentials(client, grant, `clientSecret(${clientId} at ${issuer})`)
}
