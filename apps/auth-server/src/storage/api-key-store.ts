import type { Kysely, Selectable } from 'kysely'
import * as z from 'zod'
import type { ApiKeyRecord, ApiKeyStore } from '../api-keys/api-key-store.ts'
import { deactivateCredential, touchCredential } from './credential-rows.ts'
import type { ApiKeyTable, Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyApiKeyStore(db: Kysely<Tables>): ApiKeyStore {
  return {
    async insert(key) {
      await db
        .insertInto('api_key')
        .values({
          id: key.id,
          agent_id: key.agentId,
          label: key.label,
          scopes: JSON.stringify(key.scopes),
          key_sha256: key.keyHash,
          created_at: key.createdAt,
          expires_at: key.expiresAt ?? null,
          deactivated_at: key.deactivatedAt ?? null,
          last_used_at: key.lastUsedAt ?? null,
        })
        .execute()
    },

    async findByHash(keyHash) {
      const row = await db
        .selectFrom('api_key')
        .selectAll()
        .where('key_sha256', '=', keyHash)
        .executeTakeFirst()
      return row && toRecord(row)
    },

    async listByAgent(agentId) {
      const rows = await db
        .selectFrom('api_key')
        .selectAll()
        .where('agent_id', '=', agentId)
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .execute()
      return rows.map(toRecord)
    },

    async deactivate(id, now) {
      await deactivateCredential(db, 'api_key', { id, now })
      const row = await db.selectFrom('api_key').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toRecord(row)
    },

    touch: async (id, now) => touchCredential(db, 'api_key', { id, now }),
  }
}

function toRecord(row: Selectable<ApiKeyTable>): ApiKeyRecord {
  return {
    id: row.id,
    agentId: row.agent_id,
    label: row.label,
    scopes: z.array(z.string()).parse(JSON.parse(row.scopes)),
    keyHash: row.key_sha256,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    deactivatedAt: row.deactivated_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
  }
}
