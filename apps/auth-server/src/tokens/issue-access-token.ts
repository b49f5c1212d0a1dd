import {
  ACCESS_TOKEN_TYPE,
  formatScope,
  type Clock,
  type TokenResponse,
} from '@deputy/auth/protocol'
import { SignJWT } from 'jose'
import { randomUUID } from 'node:crypto'
import type { Agent } from '../agents/agent.ts'
import type { AuthorizationDetail } from '../grants/authorization-details.ts'
import type { KeyRing } from '../keys/key-ring.ts'

export type AccessTokenRequest = {
  readonly agent: Agent
  readonly audience: string
  readonly scopes: readonly string[]
  readonly authorizationDetails?: readonly AuthorizationDetail[] | undefined
  /** The key that the token is bound to (RFC 9449 §6.1). */
  readonly confirmation?: { readonly jkt: string } | undefined
}

/** A token as it is handed out, and its id for the audit trail. */
export type IssuedAccessToken = { readonly response: TokenResponse; readonly tokenId: string }

/** Signs a token for an agent that may have it: whether it may was decided before. */
export type IssueAccessToken = (request: AccessTokenRequest) => Promise<IssuedAccessToken>

export type IssueAccessTokenOptions = {
  readonly issuer: string
  readonly keyRing: KeyRing
  readonly clock: Clock
}

/** Creates the issuing of tokens. */
export function createIssueAccessToken(options: IssueAccessTokenOptions): IssueAccessToken {
  const { clock, issuer, keyRing } = options
  const { algorithm, key, kid } = keyRing.signing

  return async ({ agent, audience, authorizationDetails, confirmation, scopes }) => {
    const now = clock.now()
    const scope = formatScope(scopes)
    const tokenId = randomUUID()
    const details =
      authorizationDetails === undefined ? {} : { authorization_details: [...authorizationDetails] }
    // RFC 9068 §2.2: where no person is involved, `sub` is the client itself.
    const token = await new SignJWT({
      client_id: agent.id,
      scope,
      rate_limit_tier: agent.rateLimitTier,
      ...details,
      ...(confirmation === undefined ? {} : { cnf: { jkt: confirmation.jkt } }),
    })
      .setProtectedHeader({ alg: algorithm, kid, typ: ACCESS_TOKEN_TYPE })
      .setIssuer(issuer)
      .setSubject(agent.id)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + agent.accessTokenTtlSeconds)
      .setJti(tokenId)
      .sign(key)
    const response = {
      access_token: token,
      token_type: confirmation === undefined ? 'Bearer' : 'DPoP',
      expires_in: agent.accessTokenTtlSeconds,
      scope,
      ...details,
    } as const
    return { response, tokenId }
  }
}
