// A client's requests to the token endpoint by oauth4webapi: discovery (RFC 8414) once, then one request
// per token. Whatever goes wrong becomes a `ClientError` that names no secret and no token.
import {
  parseSecureUrl,
  systemClock,
  timeoutSignal,
  type Clock,
  type EpochSeconds,
} from '@deputy/auth/protocol'
import * as oauth from 'oauth4webapi'
import { discoverIssuer } from '../discovery/discover-issuer.ts'
import { createPublicFetch } from '../discovery/public-hosts.ts'
import { readSkewSeconds } from '../dpop/clock-skew.ts'
import type { DpopSigner } from '../dpop/dpop-signer.ts'
import { ClientError } from '../error/client-error.ts'
import { AccessToken, isAccessToken } from './access-token.ts'
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
 * > If the client attempted to authenticate via the "Authorization" request header field, the authorization
 * > server MUST […] include the "WWW-Authenticate" response header field (RFC 6749 §5.2)
 *
 * oauth4webapi looks no further than that field, and what went wrong is in the body.
 */
function withoutChallenge(response: Response): Response {
  const headers = new Headers(response.headers)
  const isJson = headers.get('content-type')?.includes('json') === true
  if (!isJson || !headers.has('www-authenticate')) return response
  headers.delete('www-authenticate')
  return new Response(response.body, { status: response.status, headers })
}

type RefusedRequest = {
  readonly error: unknown
  readonly url: string
  readonly response: Response
  /** Whether the client said who it is by an assertion (RFC 7523 §2.2). */
  readonly isAsserted: boolean
}

/** A server may want a nonce, and then find fault with the clock. */
const MAX_REPEATS = 2

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

  async function ask(request: TokenRequest, repeats: number): Promise<AccessToken> {
    const server = await getServer()
    const url = server.token_endpoint ?? issuer.href
    // Assertions are dated by the clock that was given, as the server's goes.
    const client: oauth.Client = {
      client_id: clientId,
      [oauth.clockSkew]: clock.now() - systemClock.now() + skewSeconds,
    }
    let isAsserted = false
    const identify: ClientAuthentication = async (...parts) => {
      await authenticate(...parts)
      isAsserted = parts[2].has('client_assertion')
    }
    const requestedAt = clock.now()
    const proof = await signer?.prove({ method: 'POST', url })
    const answered = await oauth.genericTokenEndpointRequest(
      server,
      client,
      identify,
      request.grantType,
      new URLSearchParams(request.parameters),
      {
        ...toRequestOptions(request.signal),
        ...(proof === undefined ? {} : { headers: { dpop: proof } }),
        [oauth.customFetch]: send,
      },
    )
    const response = withoutChallenge(answered)
    signer?.observe(url, response)
    try {
      const answer = await oauth.processGenericTokenEndpointResponse(server, client, response)
      return await toAccessToken(answer, request, requestedAt)
    } catch (error) {
      if (repeats === MAX_REPEATS || !canRepeat({ error, isAsserted, url, response })) throw error
      return ask(request, repeats + 1)
    }
  }

  /**
   * > If the client requires binding, it MUST discard the response if its token_type is not DPoP
   * (RFC 9449 §5). And a bound token is of no use without the key.
   */
  async function toAccessToken(
    answer: oauth.TokenEndpointResponse,
    request: TokenRequest,
    requestedAt: EpochSeconds,
  ): Promise<AccessToken> {
    const isBound = answer.token_type === 'dpop'
    if (isBound !== (signer !== undefined)) {
      const message = `${options.issuer} gave a token that is ${isBound ? '' : 'not '}bound to a key`
      const hint = isBound
        ? 'This client has to prove a key there: give its credentials a dpopKey.'
        : 'Leave dpopKey out where the authorization server does not bind tokens (RFC 9449).'
      throw new ClientError({ code: 'token_response_invalid', message, hint })
    }
    if (!isAccessToken(answer.access_token)) {
      const message = `${options.issuer} gave something that cannot be a token`
      const hint =
        'Check that the issuer URL is right: the token has characters that no header takes.'
      throw new ClientError({ code: 'token_response_invalid', message, hint })
    }
    return AccessToken.create(answer.access_token, {
      type: isBound ? 'DPoP' : 'Bearer',
      scopes: answer.scope?.split(' ') ?? request.scopes,
      requestedAt,
      // `expires_in` is only RECOMMENDED: without it the token is used once and asked for again.
      expiresAt: requestedAt + Math.floor(answer.expires_in ?? 0),
      approvalId: readApprovalId(answer.authorization_details),
    })
  }

  /** Whether the request was refused for want of a nonce, or because our clock is not the server's. */
  function canRepeat({ error, isAsserted, response, url }: RefusedRequest): boolean {
    const { headers, status } = response
    const code = error instanceof oauth.ResponseBodyError ? error.error : undefined
    if (code === 'use_dpop_nonce') return signer !== undefined && headers.has('dpop-nonce')
    if (code === 'invalid_dpop_proof')
      return signer?.observe(url, { headers, status }, code) ?? false
    // Only an assertion has a time: a secret that was refused is refused again.
    if (code !== 'invalid_client' || !isAsserted) return false
    const seen = readSkewSeconds(headers, clock)
    if (seen === undefined || Math.abs(seen - skewSeconds) <= 1) return false
    skewSeconds = seen
    return true
  }

  return Object.freeze({
    async request(request: TokenRequest) {
      try {
        return await ask(request, 0)
      } catch (error) {
        request.signal?.throwIfAborted()
        throw toTokenError(error, { issuer: options.issuer, clientId, scopes: request.scopes })
      }
    },
  })
}

/** The approval that a token was given for (ADR 0018). What servers say of it oauth4webapi does not look at. */
function readApprovalId(details: unknown): string | undefined {
  if (!Array.isArray(details)) return undefined
  for (const { identifier, type } of details.map(Object)) {
    if (type === 'approved_call' && typeof identifier === 'string') return identifier
  }
  return undefined
}
