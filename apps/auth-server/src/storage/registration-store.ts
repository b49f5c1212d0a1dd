import type { Kysely } from 'kysely'
import { ClientMetadata } from '../registration/client-metadata.ts'
import type { RegistrationStore } from '../registration/registration-store.ts'
import type { Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyRegistrationStore(db: Kysely<Tables>): RegistrationStore {
  return {
    async insert(registration) {
      await db
        .insertInto('client_registration')
        .values({
          agent_id: registration.agentId,
          token_sha256: registration.tokenHash,
          initial_access_token_id: registration.initialAccessTokenId,
          metadata: JSON.stringify(registration.metadata),
          created_at: registration.createdAt,
        })
        .execute()
    },

    async findByHash(tokenHash) {
      const row = await db
        .selectFrom('client_registration')
        .selectAll()
        .where('token_sha256', '=', tokenHash)
        .executeTakeFirst()
      if (row === undefined) return undefined
      return {
        agentId: row.agent_id,
        tokenHash: row.token_sha256,
        initialAccessTokenId: row.initial_access_token_id,
        metadata: ClientMetadata.parse(JSON.parse(row.metadata)),
        createdAt: row.created_at,
      }
    },

    async updateMetadata(agentId, metadata) {
      await db
        .updateTable('client_registration')
        .set({ metadata: JSON.stringify(metadata) })
        .where('agent_id', '=', agentId)
        .execute()
    },

    async remove(agentId) {
      const { numDeletedRows } = await db
        .deleteFrom('client_registration')
        .where('agent_id', '=', agentId)
        .executeTakeFirst()
      return numDeletedRows === 1n
    },
  }
}
