// Ends a token or an API key on behalf of the agent whose it is (RFC 7009 §2.1). What is not there,
// not the agent's, or over already is no error and leaves no trace to tell them apart.
import { isAgentSecret } from '@deputy/auth/protocol'
import type { Client } from '../agents/agent.ts'
import type { AuditEvent } from '../audit/audit-event.ts'
import { denyCredential, denyToken } from '../revocation/deny.ts'
import { hashSecret } from '../secret-hash.ts'
import type { Storage } from '../storage/open-storage.ts'
import {
  createIssuedTokenVerifier,
  type IssuedTokenVerifierOptions,
} from './verify-issued-token.ts'

/** What the audit entry has of the request. */
export type RevocationContext = Partial<AuditEvent>

/** Ends one token or key for one agent. */
export type RevokeFor = (client: Client, token: string, context: RevocationContext) => Promise<void>

export type RevocationOptions = IssuedTokenVerifierOptions & { readonly storage: Storage }

/** Creates the ending of tokens and keys. */
export function createRevocation(options: RevocationOptions): RevokeFor {
  const { clock, storage } = options
  const verifyToken = createIssuedTokenVerifier(options)

  async function revokeToken(client: Client, token: string, context: RevocationContext) {
    const claims = await verifyToken(token)
    // > If this validation fails, the request is refused and the client is informed of the error.
    // It is answered like an unknown token instead: whose token it is, is nobody else's business.
    if (claims === undefined || claims.client_id !== client.id) return
    await storage.act(async (stores, note) => {
      const token = { jti: claims.jti, expiresAt: claims.exp }
      const isNew = await denyToken(stores, token, clock.now())
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

  async function revokeApiKey(client: Client, key: string, context: RevocationContext) {
    await storage.act(async (stores, note) => {
      const record = await stores.apiKeys.findByHash(hashSecret(key))
      if (record?.agentId !== client.id || record.deactivatedAt !== undefined) return
      await stores.apiKeys.deactivate({ id: record.id, within: client.ownerId }, clock.now())
      await denyCredential(stores, record.id, clock.now())
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
