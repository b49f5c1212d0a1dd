import type { Kysely } from 'kysely'
import type { RevokedTokenStore } from '../tokens/revoked-token-store.ts'
import { prepareQuery } from './prepared-query.ts'
import type { Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyRevokedTokenStore(db: Kysely<Tables>): RevokedTokenStore {
  const find = prepareQuery(
    db,
    db.selectFrom('revoked_token').select('jti').where('client_id', '=', '').where('jti', '=', ''),
  )

  return {
    async insert(token) {
      const result = await db
        .insertInto('revoked_token')
        .values({
          jti: token.jti,
          client_id: token.clientId,
          revoked_at: token.revokedAt,
          expires_at: token.expiresAt,
        })
        .onConflict((conflict) => conflict.columns(['client_id', 'jti']).doNothing())
        .executeTakeFirstOrThrow()
      return result.numInsertedOrUpdatedRows === 1n
    },

    has: async (clientId, jti) => (await find(clientId, jti)).length > 0,

    async prune(now) {
      const result = await db
        .deleteFrom('revoked_token')
        .where('expires_at', '<=', now)
        .executeTakeFirstOrThrow()
      return Number(result.numDeletedRows)
    },
  }
}
