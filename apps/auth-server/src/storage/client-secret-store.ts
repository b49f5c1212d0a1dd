import type { Kysely, Selectable } from 'kysely'
import type { ClientSecretRecord, ClientSecretStore } from '../clients/client-secret-store.ts'
import { deactivateCredential, touchCredential } from './credential-rows.ts'
import type { ClientSecretTable, Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyClientSecretStore(db: Kysely<Tables>): ClientSecretStore {
  return {
    async insert(secret) {
      await db
        .insertInto('client_secret')
        .values({
          id: secret.id,
          agent_id: secret.agentId,
          secret_sha256: secret.secretHash,
          created_at: secret.createdAt,
          expires_at: secret.expiresAt ?? null,
          deactivated_at: secret.deactivatedAt ?? null,
          last_used_at: secret.lastUsedAt ?? null,
        })
        .execute()
    },

    async listByAgent(agentId) {
      const rows = await db
        .selectFrom('client_secret')
        .selectAll()
        .where('agent_id', '=', agentId)
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .execute()
      return rows.map(toRecord)
    },

    async deactivate(id, now) {
      await deactivateCredential(db, 'client_secret', { id, now })
      const row = await db
        .selectFrom('client_secret')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst()
      return row && toRecord(row)
    },

    touch: async (id, now) => touchCredential(db, 'client_secret', { id, now }),
  }
}

function toRecord(row: Selectable<ClientSecretTable>): ClientSecretRecord {
  return {
    id: row.id,
    agentId: row.agent_id,
    secretHash: row.secret_sha256,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    deactivatedAt: row.deactivated_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
  }
}
