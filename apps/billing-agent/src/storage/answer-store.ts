import { sql, type Kysely } from 'kysely'
import type { AnswerStore } from '../idempotency/answer-store.ts'
import type { Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyAnswerStore(db: Kysely<Tables>): AnswerStore {
  return {
    async find(agentId, key) {
      const row = await db
        .selectFrom('idempotency')
        .selectAll()
        .where('agent_id', '=', agentId)
        .where('key', '=', key)
        .executeTakeFirst()
      return row && { procedure: row.procedure, bodySha256: row.body_sha256, answer: row.answer }
    },

    async claim({ agentId, createdAt, key }, { bodySha256, procedure }) {
      const result = await db
        .insertInto('idempotency')
        .values({
          agent_id: agentId,
          key,
          procedure,
          body_sha256: bodySha256,
          answer: '',
          created_at: createdAt,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow()
      return result.numInsertedOrUpdatedRows === 1n
    },

    async keep({ agentId, key }, answer) {
      await db
        .updateTable('idempotency')
        .set({ answer })
        .where('agent_id', '=', agentId)
        .where('key', '=', key)
        .execute()
    },

    async prune(before, limit) {
      const { rows } = await sql`
        delete from idempotency where (agent_id, key) in (
          select agent_id, key from idempotency where created_at < ${before}
          order by created_at limit ${limit}) returning 1 as deleted
      `.execute(db)
      return rows.length
    },
  }
}
