// Where an issuer hands out tokens (RFC 8414; for an issuer that has only that, OpenID Connect Discovery).
import { parseSecureUrl } from '@deputy/auth/protocol'
import * as oauth from 'oauth4webapi'
import { ClientError } from '../error/client-error.ts'

export type DiscoverIssuerOptions = {
  readonly issuer: string
  /** Hosts beside the issuer's own that its token endpoint may be on. */
  readonly allowedHosts?: readonly string[] | undefined
  /** What to give each request. Redirects are never followed. */
  readonly requestOptions: () => oauth.DiscoveryRequestOptions
}

/**
 * Reads the issuer's metadata. Rejects where the metadata is of another issuer (RFC 8414 §3.3), and with
 * `ClientError` (`host_not_allowed`) where the token endpoint is on a host that was not named. Attacks
 * prevented: the secret is sent to whoever could put up metadata.
 */
export async function discoverIssuer(
  options: DiscoverIssuerOptions,
): Promise<oauth.AuthorizationServer> {
  const { allowedHosts = [], requestOptions } = options
  const issuer = parseSecureUrl(options.issuer, 'issuer')
  let response = await oauth.discoveryRequest(issuer, { ...requestOptions(), algorithm: 'oauth2' })
  if (response.status === 404) {
    await response.body?.cancel()
    response = await oauth.discoveryRequest(issuer, { ...requestOptions(), algorithm: 'oidc' })
  }
  const server = await oauth.processDiscoveryResponse(issuer, response)
  // > If these values are not identical, the data contained in the response MUST NOT be used. (RFC 8414 §3.3)
  // oauth4webapi compares them as URLs, by which a slash or a capital makes no difference.
  if (server.issuer !== options.issuer) {
    throw new ClientError({
      code: 'token_response_invalid',
      message: `the metadata of ${options.issuer} is of ${server.issuer}, which is another issuer`,
      hint: 'Write the issuer as it writes itself, to the letter, and check that it is the right one.',
    })
  }
  const { token_endpoint: endpoint } = server
  if (endpoint === undefined) return server
  const { host } = parseSecureUrl(endpoint, 'token_endpoint')
  if (host === issuer.host || allowedHosts.includes(host)) return server
  throw new ClientError({
    code: 'host_not_allowed',
    message: `${issuer.href} hands out tokens at ${host}, which is another host`,
    hint: 'Name the host in allowedHosts where that is meant.',
  })
}
