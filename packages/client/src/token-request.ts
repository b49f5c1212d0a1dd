// A request to the token endpoint by oauth4webapi: discovery (RFC 8414) once, then one request per
// token. Whatever goes wrong becomes a `ClientError` that names no secret and no token.
import { parseSecureUrl, systemClock, type Clock } from '@deputy/auth/protocol'
import * as oauth from 'oauth4webapi'
import type { AccessToken, RequestToken } from './access-token.ts'
import type { AuthorizationTarget } from './authorization.ts'
import { ClientError } from './client-error.ts'

type Body = URLSearchParams | undefined

/** A client of an authorization server, and what it wants a token for. */
export type TokenRequestOptions = AuthorizationTarget & {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly fetch?: typeof fetch | undefined
  readonly clock?: Clock | undefined
  /** How long one request to the authorization server may take. Default 10,000 ms. */
  readonly timeoutMs?: number | undefined
}

/** The grant that a token is asked for by, with what it needs beside audience and scope. */
export type TokenGrant = {
  /** `grant_type` (RFC 6749 §4). */
  readonly type: string
  /** Asked for each request. Rejects with `ClientError`. */
  readonly getParameters: () => Promise<Readonly<Record<string, string>>>
}

/**
 * Creates the request for one client, audience and scope set. Throws `TypeError` at once for an
 * issuer that is not a URL, or is plain HTTP on another machine (the secret would travel in clear).
 */
export function createTokenRequest(options: TokenRequestOptions, grant: TokenGrant): RequestToken {
  const { audience, clientId, clientSecret, scopes } = options
  const issuer = parseSecureUrl(options.issuer, 'issuer')
  const clock = options.clock ?? systemClock
  const client: oauth.Client = { client_id: clientId }
  const authenticate = oauth.ClientSecretBasic(clientSecret)
  const fetchWith = options.fetch ?? fetch
  const requestOptions = () => ({
    signal: AbortSignal.timeout(options.timeoutMs ?? 10_000),
    [oauth.allowInsecureRequests]: issuer.protocol === 'http:',
    [oauth.customFetch]: async (url: string, init: oauth.CustomFetchOptions<string, Body>) => {
      const { body, ...rest } = init
      return fetchWith(url, body === undefined ? rest : { ...rest, body })
    },
  })
  let server: oauth.AuthorizationServer | undefined

  async function discover(): Promise<oauth.AuthorizationServer> {
    const response = await oauth.discoveryRequest(issuer, {
      algorithm: 'oauth2',
      ...requestOptions(),
    })
    return oauth.processDiscoveryResponse(issuer, response)
  }

  return async (): Promise<AccessToken> => {
    const own = await grant.getParameters()
    try {
      server ??= await discover()
      const requestedAt = clock.now()
      const parameters = new URLSearchParams({ ...own, audience })
      if (scopes.length > 0) parameters.set('scope', scopes.join(' '))
      const response = await oauth.genericTokenEndpointRequest(
        server,
        client,
        authenticate,
        grant.type,
        parameters,
        requestOptions(),
      )
      const answer = await oauth.processGenericTokenEndpointResponse(server, client, response)
      return {
        value: answer.access_token,
        // RFC 6749 §5.1: `scope` may be left out when it is what was asked for.
        scopes: answer.scope?.split(' ') ?? scopes,
        requestedAt,
        // `expires_in` is only RECOMMENDED: without it the token is used once and asked for again.
        expiresAt: requestedAt + (answer.expires_in ?? 0),
      }
    } catch (error) {
      throw toTokenError(error, { issuer: options.issuer, clientId })
    }
  }
}

function toTokenError(
  error: unknown,
  { clientId, issuer }: { readonly clientId: string; readonly issuer: string },
): ClientError {
  if (error instanceof oauth.ResponseBodyError && error.status < 500) {
    const why = error.error_description ?? error.error
    return new ClientError({
      code: 'token_refused',
      message: `${issuer} refused a token to ${clientId}: ${error.error}: ${why}`,
      hint: 'Check the client id, the secret, the audience and the scopes with the operator.',
      status: error.status,
    })
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError && error.status < 500) {
    return new ClientError({
      code: 'token_refused',
      message: `${issuer} does not accept the credentials of ${clientId}`,
      hint: 'Check the client id and the secret with the operator.',
      status: error.status,
    })
  }
  const reason = error instanceof Error ? error.message : 'the request failed'
  const status = readStatus(error)
  const isAnswer =
    (error instanceof oauth.OperationProcessingError && (status ?? 0) < 500) ||
    error instanceof oauth.UnsupportedOperationError
  return new ClientError({
    code: isAnswer ? 'token_response_invalid' : 'token_unavailable',
    message: `no token could be had from ${issuer}: ${reason}`,
    hint: 'Check that the authorization server is running and that the issuer URL is right.',
    status,
    cause: error instanceof TypeError ? error.cause : undefined,
  })
}

/** The status of an answer that was not the one expected, where oauth4webapi hands it on. */
function readStatus(error: unknown): number | undefined {
  const cause = error instanceof oauth.OperationProcessingError ? error.cause : undefined
  return cause instanceof Response ? cause.status : undefined
}
