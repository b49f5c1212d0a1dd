import type { Kysely } from 'kysely'
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

    async insert({ agentId, createdAt, key }, { answer, bodySha256, procedure }) {
      await db
        .insertInto('idempotency')
        .values({
          agent_id: agentId,
          key,
          procedure,
          body_sha256: bodySha256,
          answer,
          created_at: createdAt,
        })
        .execute()
    },
  }
}
