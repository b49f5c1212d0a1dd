// A client's requests to the token endpoint by oauth4webapi: discovery (RFC 8414) once, then one request
// per token. Whatever goes wrong becomes a `ClientError` that names no secret and no token.
import { parseSecureUrl, systemClock, timeoutSignal, type Clock } from '@deputy/auth/protocol'
import * as oauth from 'oauth4webapi'
import { discoverIssuer } from '../discovery/discover-issuer.ts'
import { createPublicFetch } from '../discovery/public-hosts.ts'
import { readSkewSeconds } from '../dpop/clock-skew.ts'
import type { DpopSigner } from '../dpop/dpop-signer.ts'
import { AccessToken } from './access-token.ts'
import { toTokenError } from './token-error.ts'

/** How a client says who it is: `oauth.ClientSecretBasic(…)`, `oauth.PrivateKeyJwt(…)` or another one's. */
export type ClientAuthentication = oauth.ClientAuth

export type TokenEndpointOptions = {
  readonly issuer: string
  readonly clientId: string
  readonly authenticate: ClientAuthentication
  /** Binds the tokens to its key. Default: they are bearer tokens. */
  readonly signer?: DpopSigner | undefined
  readonly fetch?: typeof fetch | undefined
  readonly clock?: Clock | undefined
  /** How long one request to the authorization server may take. Default 10,000 ms. */
  readonly timeoutMs?: number | undefined
  /** Hosts beside the issuer's own that its token endpoint may be on. Default: none. */
  readonly allowedHosts?: readonly string[] | undefined
  /** Refuses an issuer on a private address (server-side request forgery). Default `false`. */
  readonly refusePrivateAddresses?: boolean | undefined
}

/** What is asked for. */
export type TokenRequest = {
  /** `grant_type` (RFC 6749 §4). */
  readonly grantType: string
  readonly parameters: Readonly<Record<string, string>>
  /** What is granted where the answer does not say (RFC 6749 §5.1). */
  readonly scopes: readonly string[]
  readonly signal?: AbortSignal | undefined
}

export type TokenEndpoint = {
  /** Rejects with `ClientError`. */
  request(request: TokenRequest): Promise<AccessToken>
}

/**
 * Creates the client's side of an issuer's token endpoint. Throws `TypeError` at once for an issuer that
 * is not a URL, or is plain HTTP on another machine (the secret would travel in clear).
 */
export function createTokenEndpoint(options: TokenEndpointOptions): TokenEndpoint {
  const { authenticate, clientId, signer } = options
  const issuer = parseSecureUrl(options.issuer, 'issuer')
  const clock = options.clock ?? systemClock
  const given = options.fetch ?? fetch
  const fetchWith = options.refusePrivateAddresses === true ? createPublicFetch(given) : given
  let discovery: Promise<oauth.AuthorizationServer> | undefined
  /** What the server's clock is ahead of ours, once an assertion was refused for it. */
  let skewSeconds = 0

  function toRequestOptions(signal?: AbortSignal): oauth.HttpRequestOptions<'GET' & 'POST'> {
    const timeout = timeoutSignal(clock, options.timeoutMs ?? 10_000)
    return {
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      [oauth.allowInsecureRequests]: issuer.protocol === 'http:',
    }
  }

  const send = async (
    url: string,
    init: oauth.CustomFetchOptions<string, URLSearchParams | undefined>,
  ): Promise<Response> => {
    const { body, ...rest } = init
    return fetchWith(url, body === undefined ? rest : { ...rest, body })
  }

  async function getServer(): Promise<oauth.AuthorizationServer> {
    discovery ??= discoverIssuer({
      issuer: options.issuer,
      allowedHosts: options.allowedHosts,
      requestOptions: () => ({ ...toRequestOptions(), [oauth.customFetch]: send }),
    })
    const pending = discovery
    try {
      return await pending
    } catch (error) {
      if (discovery === pending) discovery = undefined
      throw error
    }
  }

  async function ask(request: TokenRequest, isRepeated: boolean): Promise<AccessToken> {
    const server = await getServer()
    const url = server.token_endpoint ?? issuer.href
    // Assertions are dated by the clock that was given, as the server's goes.
    const client: oauth.Client = {
      client_id: clientId,
      [oauth.clockSkew]: clock.now() - systemClock.now() + skewSeconds,
    }
    const requestedAt = clock.now()
    const proof = await signer?.prove({ method: 'POST', url })
    const response = await oauth.genericTokenEndpointRequest(
      server,
      client,
      authenticate,
      request.grantType,
      new URLSearchParams(request.parameters),
      {
        ...toRequestOptions(request.signal),
        ...(proof === undefined ? {} : { headers: { dpop: proof } }),
        [oauth.customFetch]: send,
      },
    )
    signer?.observe(url, response)
    try {
      const answer = await oauth.processGenericTokenEndpointResponse(server, client, response)
      return await AccessToken.create(answer.access_token, {
        type: answer.token_type === 'dpop' ? 'DPoP' : 'Bearer',
        scopes: answer.scope?.split(' ') ?? request.scopes,
        requestedAt,
        // `expires_in` is only RECOMMENDED: without it the token is used once and asked for again.
        expiresAt: requestedAt + (answer.expires_in ?? 0),
      })
    } catch (error) {
      if (isRepeated || !canRepeat(error, url, response)) throw error
      return ask(request, true)
    }
  }

  /** Whether the request was refused for want of a nonce, or because our clock is not the server's. */
  function canRepeat(error: unknown, url: string, { headers, status }: Response): boolean {
    const code = error instanceof oauth.ResponseBodyError ? error.error : undefined
    if (code === 'use_dpop_nonce') return signer !== undefined && headers.has('dpop-nonce')
    if (code === 'invalid_dpop_proof')
      return signer?.observe(url, { headers, status }, code) ?? false
    if (code !== 'invalid_client') return false
    const seen = readSkewSeconds(headers, clock)
    if (seen === undefined || Math.abs(seen - skewSeconds) <= 1) return false
    skewSeconds = seen
    return true
  }

  return Object.freeze({
    async request(request: TokenRequest) {
      try {
        return await ask(request, false)
      } catch (error) {
        request.signal?.throwIfAborted()
        throw toTokenError(error, { issuer: options.issuer, clientId })
      }
    },
  })
}
