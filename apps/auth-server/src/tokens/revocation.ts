// Ends a token or an API key on behalf of the agent whose it is (RFC 7009 §2.1). What is not there,
// not the agent's, or over already is no error and leaves no trace to tell them apart.
import { AccessTokenClaims, isAgentSecret, type Clock } from '@deputy/auth/protocol'
import { createAccessTokenVerifier, type SigningKeySource } from '@deputy/auth'
import { decodeJwt } from 'jose'
import type { Agent } from '../agents/agent.ts'
import type { AuditEvent } from '../audit/audit-event.ts'
import { hashSecret } from '../secret-hash.ts'
import type { Storage } from '../storage/open-storage.ts'

/** What the audit entry has of the request. */
export type RevocationContext = Partial<AuditEvent>

/** Ends one token or key for one agent. */
export type RevokeFor = (client: Agent, token: string, context: RevocationContext) => Promise<void>

export type RevocationOptions = {
  readonly issuer: string
  readonly keys: SigningKeySource
  readonly storage: Storage
  readonly clock: Clock
}

/** Creates the ending of tokens and keys. */
export function createRevocation(options: RevocationOptions): RevokeFor {
  const { clock, issuer, keys, storage } = options

  async function revokeToken(client: Agent, token: string, context: RevocationContext) {
    const claims = await verifyOwnToken(token)
    // > If this validation fails, the request is refused and the client is informed of the error.
    // It is answered like an unknown token instead: whose token it is, is nobody else's business.
    if (claims === undefined || claims.client_id !== client.id) return
    await storage.act(async (stores, note) => {
      const isNew = await stores.revokedTokens.insert({
        jti: claims.jti,
        clientId: client.id,
        revokedAt: clock.now(),
        expiresAt: claims.exp,
      })
      if (!isNew) return
      note({
        ...context,
        event: 'token.revoked',
        outcome: 'success',
        ownerId: client.ownerId,
        actorId: client.id,
        subjectId: claims.sub,
        audience: [claims.aud].flat()[0],
        tokenId: claims.jti,
      })
    })
  }

  async function verifyOwnToken(token: string): Promise<AccessTokenClaims | undefined> {
    const claims = readClaims(token)
    const audience = claims === undefined ? undefined : [claims.aud].flat()[0]
    if (claims === undefined || audience === undefined) return undefined
    const verifier = createAccessTokenVerifier({
      issuer,
      audience,
      keys,
      clock,
      clockToleranceSeconds: 0,
    })
    const verified = await verifier.verify(token)
    return verified.ok ? claims : undefined
  }

  async function revokeApiKey(client: Agent, key: string, context: RevocationContext) {
    const record = await storage.apiKeys.findByHash(hashSecret(key))
    if (record === undefined || record.agentId !== client.id) return
    if (record.deactivatedAt !== undefined) return
    await storage.act(async (stores, note) => {
      await stores.apiKeys.deactivate({ id: record.id, within: client.ownerId }, clock.now())
      note({
        ...context,
        event: 'api_key.deactivated',
        outcome: 'success',
        ownerId: client.ownerId,
        actorId: client.id,
        subjectId: client.id,
        target: { kind: 'api_key', id: record.id },
      })
    })
  }

  return async (client, token, context) =>
    isAgentSecret(token, 'apiKey')
      ? revokeApiKey(client, token, context)
      : revokeToken(client, token, context)
}

/** Reads claims that are not verified yet. */
function readClaims(token: string): AccessTokenClaims | undefined {
  try {
    return AccessTokenClaims.safeParse(decodeJwt(token)).data
  } catch {
    return undefined
  }
}
