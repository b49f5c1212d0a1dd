// Answers what a token or an API key is worth to the agent that asks (RFC 7662 §2.2). Whatever is not
// meant for that agent is `{"active": false}`, exactly like what does not exist.
import { createAccessTokenVerifier } from '@deputy/auth'
import {
  AccessTokenClaims,
  formatScope,
  isAgentSecret,
  type Clock,
  type IntrospectionResponse,
} from '@deputy/auth/protocol'
import { decodeJwt } from 'jose'
import type { Agent } from '../agents/agent.ts'
import type { AgentStore } from '../agents/agent-store.ts'
import type { ApiKeyStore } from '../api-keys/api-key-store.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import { createRingSigningKeySource } from '../keys/ring-key-source.ts'
import { hashSecret } from '../secret-hash.ts'

/** Answers one agent's question about one token or key. */
export type IntrospectFor = (resource: Agent, token: string) => Promise<IntrospectionResponse>

export type IntrospectionOptions = {
  readonly issuer: string
  readonly keyRing: Pick<KeyRing, 'publicKeys' | 'reload'>
  readonly agents: AgentStore
  readonly apiKeys: ApiKeyStore
  readonly clock: Clock
}

const INACTIVE: IntrospectionResponse = { active: false }

/** Creates the answering. */
export function createIntrospection(options: IntrospectionOptions): IntrospectFor {
  const { agents, apiKeys, clock, issuer, keyRing } = options
  const keys = createRingSigningKeySource(keyRing, clock)

  async function introspectToken(resource: Agent, token: string): Promise<IntrospectionResponse> {
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
    const holder = await agents.find(claims.client_id)
    if (holder?.state !== 'active') return INACTIVE
    return {
      active: true,
      token_type: 'Bearer',
      iss: claims.iss,
      sub: claims.sub,
      aud: claims.aud,
      client_id: claims.client_id,
      jti: claims.jti,
      scope: claims.scope ?? '',
      iat: claims.iat,
      exp: claims.exp,
      ...(claims.act === undefined ? {} : { act: claims.act }),
    }
  }

  async function introspectApiKey(resource: Agent, key: string): Promise<IntrospectionResponse> {
    const record = await apiKeys.findByHash(hashSecret(key))
    const now = clock.now()
    if (record === undefined || record.deactivatedAt !== undefined) return INACTIVE
    if (record.expiresAt !== undefined && record.expiresAt <= now) return INACTIVE
    const holder = await agents.find(record.agentId)
    if (holder?.state !== 'active' || !holder.audiences.includes(resource.id)) return INACTIVE
    await apiKeys.touch(record.id, now)
    // A key made before its agent was narrowed carries no more than the agent may now.
    const scopes = record.scopes.filter(
      (scope) => holder.scopes.includes(scope) && resource.scopesSupported.includes(scope),
    )
    return {
      active: true,
      token_type: 'api_key',
      iss: issuer,
      sub: holder.id,
      aud: resource.id,
      client_id: holder.id,
      jti: record.id,
      scope: formatScope(scopes),
      iat: record.createdAt,
      ...(record.expiresAt === undefined ? {} : { exp: record.expiresAt }),
    }
  }

  return async (resource, token) =>
    isAgentSecret(token, 'apiKey')
      ? introspectApiKey(resource, token)
      : introspectToken(resource, token)
}
