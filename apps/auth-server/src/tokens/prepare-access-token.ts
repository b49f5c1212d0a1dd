// Makes access tokens: JWTs by RFC 9068. Whether the agent may have one was decided before, and whoever has
// this signed writes it down.
import {
  ACCESS_TOKEN_TYPE,
  formatScope,
  type ActClaim,
  type AuthorizationDetailsClaim,
  type Clock,
  type EpochSeconds,
  type TokenResponse,
} from '@deputy/auth/protocol'
import { createId } from '@deputy/storage'
import type { Client } from '../agents/agent.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import { createJwtEncoder, toSignedJwt, type UnsignedJwt } from './jwt-encoder.ts'

export type AccessTokenRequest = {
  /** Whom it is issued to: `client_id`. */
  readonly agent: Pick<Client, 'id' | 'ownerId' | 'accessTokenTtlSeconds' | 'rateLimitTier'>
  readonly audience: string
  readonly scopes: readonly string[]
  /** Whose authority it is: `sub`. Default: the agent itself. */
  readonly subject?: string | undefined
  /** The organisation that the subject belongs to. Default: the agent's. */
  readonly ownerId?: string | undefined
  /** Who acts, and who acted before (RFC 8693 §4.1). */
  readonly act?: ActClaim | undefined
  /** Limits (RFC 9396 §9.1). */
  readonly authorizationDetails?: AuthorizationDetailsClaim | undefined
  /** Binds the token to a DPoP key, by its thumbprint (RFC 9449 §6.1). */
  readonly confirmation?: { readonly jkt: string } | undefined
  /** Its `jti`. Default: a new one. */
  readonly tokenId?: string | undefined
  /** The ids of what it stands on, the root first and its own last. */
  readonly grantPath?: readonly string[] | undefined
  /** Who may exchange it beside its holder and its audience (RFC 8693 §4.4). */
  readonly mayAct?: string | undefined
  /** Of a token that came from an exchange (RFC 8693 §2.2.1). */
  readonly issuedTokenType?: string | undefined
  /** It ends then at the latest: where what it stands on ends. Must lie in the future. */
  readonly expiresAt?: EpochSeconds | undefined
}

/** What the token says. */
export type IssuedClaims = {
  readonly iss: string
  readonly sub: string
  readonly aud: string
  readonly client_id: string
  readonly owner_id: string
  readonly scope: string
  readonly iat: EpochSeconds
  readonly exp: EpochSeconds
  readonly jti: string
  readonly act?: ActClaim
  readonly rate_limit_tier: string
  readonly authorization_details?: AuthorizationDetailsClaim
  readonly cnf?: { readonly jkt: string }
  readonly grant_path?: readonly string[]
  readonly may_act?: { readonly sub: string }
}

/** A token but for its signature. */
export type PreparedAccessToken = {
  readonly jwt: UnsignedJwt
  readonly claims: IssuedClaims
  /** The answer to whoever asked (RFC 6749 §5.1). */
  readonly toResponse: (signature: Uint8Array) => TokenResponse
}

/** Prepares a token. Throws `RangeError` when `expiresAt` has passed: to be refused before. */
export type PrepareAccessToken = (request: AccessTokenRequest) => PreparedAccessToken

export type PrepareAccessTokenOptions = {
  readonly issuer: string
  readonly keyRing: Pick<KeyRing, 'signer'>
  readonly clock: Clock
}

/** Creates the preparing of tokens. */
export function createPrepareAccessToken(options: PrepareAccessTokenOptions): PrepareAccessToken {
  const { clock, issuer, keyRing } = options
  const encode = createJwtEncoder(ACCESS_TOKEN_TYPE)

  return (request) => {
    const claims = toClaims(request, issuer, clock.now())
    const { authorization_details: details, cnf, exp, iat, scope } = claims
    const jwt = encode(keyRing.signer(), claims)
    return {
      jwt,
      claims,
      toResponse: (signature) => ({
        access_token: toSignedJwt(jwt, signature),
        token_type: cnf === undefined ? 'Bearer' : 'DPoP',
        expires_in: exp - iat,
        scope,
        ...(request.issuedTokenType === undefined
          ? {}
          : { issued_token_type: request.issuedTokenType }),
        // > the AS MUST also return the authorization_details as granted by the resource owner and
        // > assigned to the respective access token. (RFC 9396 §7)
        ...(details === undefined ? {} : { authorization_details: details }),
      }),
    }
  }
}

function toClaims(request: AccessTokenRequest, issuer: string, now: EpochSeconds): IssuedClaims {
  const { act, agent, authorizationDetails, confirmation, grantPath, mayAct } = request
  const exp = Math.min(now + agent.accessTokenTtlSeconds, request.expiresAt ?? Infinity)
  if (exp <= now) throw new RangeError('a token must end in the future')
  return {
    iss: issuer,
    // RFC 9068 §2.2: where no person is involved, `sub` is the client itself.
    sub: request.subject ?? agent.id,
    aud: request.audience,
    client_id: agent.id,
    owner_id: request.ownerId ?? agent.ownerId,
    scope: formatScope(request.scopes),
    iat: now,
    exp,
    jti: request.tokenId ?? createId(now),
    rate_limit_tier: agent.rateLimitTier,
    ...(act === undefined ? {} : { act }),
    ...(authorizationDetails === undefined ? {} : { authorization_details: authorizationDetails }),
    ...(confirmation === undefined ? {} : { cnf: { jkt: confirmation.jkt } }),
    ...(grantPath === undefined ? {} : { grant_path: grantPath }),
    ...(mayAct === undefined ? {} : { may_act: { sub: mayAct } }),
  }
}
