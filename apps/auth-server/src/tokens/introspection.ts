// Answers what a token or an API key is worth to the agent that asks (RFC 7662 §2.2). Whatever is not
// meant for that agent is `{"active": false}`, exactly like what does not exist.
import { createAccessTokenVerifier, type SigningKeySource } from '@deputy/auth'
import {
  AccessTokenClaims,
  formatScope,
  isAgentSecret,
  type Clock,
  type IntrospectionResponse,
} from '@deputy/auth/protocol'
import { decodeJwt } from 'jose'
import { findAllowedScopes, isVisible, type Client } from '../agents/agent.ts'
import type { ApiKeyStore } from '../api-keys/api-key-store.ts'
import type { ClientDirectory } from '../clients/client-directory.ts'
import { isLive } from '../credentials/credential.ts'
import type { UseLog } from '../credentials/use-log.ts'
import type { RevocationStore } from '../revocation/revocation-store.ts'
import { readStanding } from '../revocation/standing.ts'
import { hashSecret } from '../secret-hash.ts'

/** Answers one agent's question about one token or key. */
export type IntrospectFor = (resource: Client, token: string) => Promise<IntrospectionResponse>

export type IntrospectionOptions = {
  readonly issuer: string
  readonly keys: SigningKeySource
  readonly clients: Pick<ClientDirectory, 'find' | 'findMany'>
  readonly apiKeys: Pick<ApiKeyStore, 'findByHash'>
  readonly revocations: Pick<RevocationStore, 'findDenial'>
  readonly credentialUses: Pick<UseLog, 'note'>
  readonly clock: Clock
}

const INACTIVE: IntrospectionResponse = { active: false }

/** Creates the answering. */
export function createIntrospection(options: IntrospectionOptions): IntrospectFor {
  const { apiKeys, clients, clock, credentialUses, issuer, keys, revocations } = options

  async function introspectToken(resource: Client, token: string): Promise<IntrospectionResponse> {
    const verifier = createAccessTokenVerifier({
      issuer,
      audience: resource.id,
      keys,
      clock,
      // The clock that signed it is this one.
      clockToleranceSeconds: 0,
    })
    const verified = await verifier.verify(token)
    if (!verified.ok) return INACTIVE
    const claims = AccessTokenClaims.parse(decodeJwt(token))
    const standing = readStanding(claims)
    if ((await revocations.findDenial(standing)) !== undefined) return INACTIVE
    // One agent of the chain that was ended ends all that came through it.
    const chain = standing.agentIds
    const holders = await clients.findMany(chain)
    if (holders.length < chain.length || holders.some(({ state }) => state !== 'active')) {
      return INACTIVE
    }
    const { act, authorization_details, cnf, owner_id, rate_limit_tier } = claims
    return {
      active: true,
      token_type: cnf === undefined ? 'Bearer' : 'DPoP',
      iss: claims.iss,
      sub: claims.sub,
      aud: claims.aud,
      client_id: claims.client_id,
      ...(owner_id === undefined ? {} : { owner_id }),
      jti: claims.jti,
      scope: claims.scope ?? '',
      iat: claims.iat,
      exp: claims.exp,
      ...(act === undefined ? {} : { act }),
      ...(cnf === undefined ? {} : { cnf }),
      ...(authorization_details === undefined ? {} : { authorization_details }),
      ...(rate_limit_tier === undefined ? {} : { rate_limit_tier }),
    }
  }

  async function introspectApiKey(resource: Client, key: string): Promise<IntrospectionResponse> {
    const record = await apiKeys.findByHash(hashSecret(key))
    const now = clock.now()
    if (record === undefined || !isLive(record, now)) return INACTIVE
    const holder = await clients.find(record.agentId)
    if (holder?.state !== 'active') return INACTIVE
    if (!holder.audiences.includes(resource.id) || !isVisible(holder, resource)) return INACTIVE
    // A key made before its agent was narrowed carries no more than the agent may now.
    const allowed = findAllowedScopes(holder, resource)
    // A key names no call, so that nobody could have approved it.
    const scopes = record.scopes.filter(
      (scope) => allowed.includes(scope) && !resource.approvalScopes.includes(scope),
    )
    credentialUses.note(record.id, now)
    return {
      active: true,
      token_type: 'api_key',
      iss: issuer,
      sub: holder.id,
      aud: resource.id,
      client_id: holder.id,
      owner_id: holder.ownerId,
      jti: record.id,
      scope: formatScope(scopes),
      iat: record.createdAt,
      ...(record.expiresAt === undefined ? {} : { exp: record.expiresAt }),
      rate_limit_tier: record.rateLimitTier ?? holder.rateLimitTier,
    }
  }

  return async (resource, token) =>
    isAgentSecret(token, 'apiKey')
      ? introspectApiKey(resource, token)
      : introspectToken(resource, token)
}
