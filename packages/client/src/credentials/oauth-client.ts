// A client of an authorization server: who it is, and the tokens that it has. All credentials that end in
// a token are made of one: its own, those under a task grant, and those that act for a caller.
import type { CryptoKeyPair } from 'oauth4webapi'
import { systemClock, type Clock } from '@deputy/auth/protocol'
import type { AuthorizationTarget, Authorizer, CallForApproval } from '../authorization.ts'
import { createDpopSigner } from '../dpop/dpop-signer.ts'
import { ClientError } from '../error/client-error.ts'
import type { AccessToken, RequestToken } from '../token/access-token.ts'
import { createApprovedToken, type ApprovedToken } from '../token/approved-token.ts'
import { patiently } from '../token/patient.ts'
import type { TokenCache } from '../token/token-cache.ts'
import {
  createTokenEndpoint,
  type ClientAuthentication,
  type TokenEndpoint,
  type TokenEndpointOptions,
} from '../token/token-endpoint.ts'
import { createTokenManager, type TokenPurpose } from '../token/token-manager.ts'
import { createTokenAuthorizer } from './token-authorizer.ts'

/** What every client of an authorization server may be given. */
export type OAuthClientSettings = Pick<
  TokenEndpointOptions,
  'allowedHosts' | 'clientId' | 'clock' | 'fetch' | 'refusePrivateAddresses' | 'timeoutMs'
> & {
  /**
   * Binds every token to this key (RFC 9449): whoever steals one cannot use it. See `generateDpopKey`.
   * Default: bearer tokens.
   */
  readonly dpopKey?: CryptoKeyPair | undefined
  /** Shares tokens with other processes of the same agent. Default: none are shared. */
  readonly tokenCache?: TokenCache | undefined
  /** How long before its end a token is renewed. Default 60 seconds, or half its life if that is less. */
  readonly renewBeforeSeconds?: number | undefined
  /** Spreads renewals and retries: from 0 up to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

export type OAuthClientOptions = OAuthClientSettings & {
  /** Left out, the agent that is called says whom to ask: for clients whose authentication is of no use elsewhere. */
  readonly issuer?: string | undefined
  readonly authenticate: ClientAuthentication
}

/** The grant that tokens are asked for by, with what it needs beside audience and scope. */
export type TokenGrant = {
  /** `grant_type` (RFC 6749 §4). */
  readonly type: string
  /** What tells its tokens from those of other grants. A function, as it may hold a subject token. */
  readonly toKey: () => string
  /** Asked for each request. Rejects with `ClientError`. */
  readonly getParameters?: (() => Promise<Readonly<Record<string, string>>>) | undefined
  /** `authorization_details` (RFC 9396). */
  readonly details?: readonly object[] | undefined
}

export type OAuthClient = {
  readonly clientId: string
  readonly issuer: string | undefined
  readonly clock: Clock
  /** A token that is good now. Rejects with `ClientError`. */
  getToken(target: AuthorizationTarget, grant: TokenGrant): Promise<AccessToken>
  /** Authorizes calls with those tokens. */
  createAuthorizer(target: AuthorizationTarget, grant: TokenGrant): Authorizer
}

/** Creates a client. Throws `TypeError` at once for an issuer or a key that is of no use. */
export function createOAuthClient(options: OAuthClientOptions): OAuthClient {
  const { clientId, dpopKey, random = Math.random } = options
  const clock = options.clock ?? systemClock
  const signer = dpopKey === undefined ? undefined : createDpopSigner(dpopKey, clock)
  const manager = createTokenManager({ ...options, cache: options.tokenCache })
  const endpoints = new Map<string, TokenEndpoint>()
  if (options.issuer !== undefined) openEndpoint(options.issuer)

  function openEndpoint(issuer: string): TokenEndpoint {
    const endpoint = endpoints.get(issuer) ?? createTokenEndpoint({ ...options, issuer, signer })
    endpoints.set(issuer, endpoint)
    return endpoint
  }

  async function toPurpose(target: AuthorizationTarget, grant: TokenGrant): Promise<TokenPurpose> {
    const { scopes } = target
    const keyThumbprint = await signer?.getThumbprint()
    const common = { clientId, scopes, grant: grant.toKey(), keyThumbprint }
    const { audience, resource } = target
    if ((audience ?? resource) !== undefined && options.issuer !== undefined) {
      return { ...common, issuer: options.issuer, audience, resource }
    }
    const agent = await target.discover?.()
    const issuer = chooseIssuer(options, agent?.issuers ?? [])
    const isNamed = (audience ?? resource) !== undefined
    return { ...common, issuer, audience, resource: isNamed ? resource : agent?.resource }
  }

  async function toParameters(
    purpose: TokenPurpose,
    grant: TokenGrant,
    approval?: CallForApproval,
  ): Promise<Record<string, string>> {
    const { audience, resource, scopes } = purpose
    const details = [...(grant.details ?? []), ...(approval ? [toApprovedCall(approval)] : [])]
    return {
      ...(await grant.getParameters?.()),
      ...(audience === undefined ? {} : { audience }),
      ...(resource === undefined ? {} : { resource }),
      ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
      ...(details.length === 0 ? {} : { authorization_details: JSON.stringify(details) }),
      ...(approval?.message === undefined ? {} : { binding_message: approval.message }),
    }
  }

  function toRequest(purpose: TokenPurpose, grant: TokenGrant): RequestToken {
    const endpoint = openEndpoint(purpose.issuer)
    const { scopes } = purpose
    return async () =>
      patiently(
        async () => {
          const parameters = await toParameters(purpose, grant)
          return endpoint.request({ grantType: grant.type, parameters, scopes })
        },
        { clock, random },
      )
  }

  function toApproved(
    target: AuthorizationTarget,
    approval: CallForApproval,
    grant: TokenGrant,
  ): ApprovedToken {
    return createApprovedToken({
      clock,
      isWaitedFor: approval.isWaitedFor,
      async request(approvalId, signal) {
        const purpose = await toPurpose(target, grant)
        const parameters = await toParameters(purpose, grant, approval)
        return openEndpoint(purpose.issuer).request({
          grantType: grant.type,
          parameters: approvalId ? { ...parameters, auth_req_id: approvalId } : parameters,
          scopes: purpose.scopes,
          signal,
        })
      },
    })
  }

  const client: OAuthClient = {
    clientId,
    issuer: options.issuer,
    clock,

    async getToken(target, grant) {
      const purpose = await toPurpose(target, grant)
      return manager.getToken(purpose, toRequest(purpose, grant))
    },

    createAuthorizer(target, grant) {
      let known: TokenPurpose | undefined
      return createTokenAuthorizer({
        signer,
        async getToken() {
          known ??= await toPurpose(target, grant)
          return manager.getToken(known, toRequest(known, grant))
        },
        peekToken: () => (known === undefined ? undefined : manager.peek(known)),
        discard: (token) => known === undefined || manager.discard(known, token),
        // Watched once it was asked for: by then it is known what the token is for.
        watchTokens: (onToken) =>
          known === undefined || target.approval !== undefined
            ? () => undefined
            : manager.watch(known, toRequest(known, grant), onToken),
        approved: target.approval && toApproved(target, target.approval, grant),
      })
    },
  }
  return Object.freeze(client)
}

/** Attack prevented: an agent that sends its callers, with their secrets, to an issuer of its choice. */
function chooseIssuer(
  { clientId, issuer }: Pick<OAuthClientOptions, 'clientId' | 'issuer'>,
  named: readonly string[],
): string {
  if (issuer !== undefined && (named.length === 0 || named.includes(issuer))) return issuer
  const [first] = named
  if (issuer === undefined && first !== undefined) return first
  throw new ClientError({
    code: 'issuer_not_trusted',
    message:
      issuer === undefined
        ? `nobody says where ${clientId} gets a token for this agent`
        : `the agent takes tokens of ${named.join(', ')}, and ${clientId} has credentials at ${issuer} only`,
    hint: 'Give the client credentials of an issuer that the agent trusts.',
  })
}

/** RFC 9396 details of this size are refused; the input, which is there to be shown, is left out first. */
const MAX_DETAILS_CHARS = 3500

function toApprovedCall({ input, inputSha256, procedure }: CallForApproval): object {
  const call = { type: 'approved_call', procedure, input_sha256: inputSha256 }
  const isShown = input !== undefined && JSON.stringify(input).length <= MAX_DETAILS_CHARS
  return isShown ? { ...call, input } : call
}
