// Makes access tokens: JWTs by RFC 9068, signed ES256.
import {
  ACCESS_TOKEN_TYPE,
  formatScope,
  type Clock,
  type TokenResponse,
} from '@deputy/auth/protocol'
import { SignJWT } from 'jose'
import { randomUUID } from 'node:crypto'
import type { Agent } from '../agents/agent.ts'
import type { KeyRing } from '../keys/key-ring.ts'

export type AccessTokenRequest = {
  readonly agent: Agent
  readonly audience: string
  readonly scopes: readonly string[]
}

/** Signs a token for an agent that may have it: whether it may was decided before. */
export type IssueAccessToken = (request: AccessTokenRequest) => Promise<TokenResponse>

export type IssueAccessTokenOptions = {
  readonly issuer: string
  readonly keyRing: KeyRing
  readonly clock: Clock
}

/** Creates the issuing of tokens. */
export function createIssueAccessToken(options: IssueAccessTokenOptions): IssueAccessToken {
  const { clock, issuer, keyRing } = options
  const { algorithm, key, kid } = keyRing.signing

  return async ({ agent, audience, scopes }) => {
    const now = clock.now()
    const scope = formatScope(scopes)
    // RFC 9068 §2.2: where no person is involved, `sub` is the client itself.
    const token = await new SignJWT({ client_id: agent.id, scope })
      .setProtectedHeader({ alg: algorithm, kid, typ: ACCESS_TOKEN_TYPE })
      .setIssuer(issuer)
      .setSubject(agent.id)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + agent.accessTokenTtlSeconds)
      .setJti(randomUUID())
      .sign(key)
    return {
      access_token: token,
      token_type: 'Bearer',
      expires_in: agent.accessTokenTtlSeconds,
      scope,
    }
  }
}
