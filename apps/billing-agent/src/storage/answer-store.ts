import { sql, type Kysely, type Selectable } from 'kysely'
import type { AnswerStore } from '../idempotency/answer-store.ts'
import { createStatement } from './statement.ts'
import type { AnswerTable, Tables } from './tables.ts'

type Key = { readonly agentId: string; readonly key: string }

const selectAnswer = createStatement<Key, Selectable<AnswerTable>>((db, { agentId, key }) =>
  db.selectFrom('answer').selectAll().where('agent_id', '=', agentId).where('key', '=', key),
)

const claimKey = createStatement<
  Key & { procedure: string; bodySha256: string; createdAt: number },
  unknown
>((db, { agentId, bodySha256, createdAt, key, procedure }) =>
  db
    .insertInto('answer')
    .values({
      agent_id: agentId,
      key,
      procedure,
      body_sha256: bodySha256,
      answer: sql.lit(''),
      created_at: createdAt,
    })
    .onConflict((conflict) => conflict.doNothing()),
)

const keepAnswer = createStatement<Key & { answer: string }, unknown>(
  (db, { agentId, answer, key }) =>
    db.updateTable('answer').set({ answer }).where('agent_id', '=', agentId).where('key', '=', key),
)

/** Creates the store on Kysely. */
export function createKyselyAnswerStore(db: Kysely<Tables>): AnswerStore {
  return {
    async find(agentId, key) {
      const [row] = (await selectAnswer(db, { agentId, key })).rows
      return row && { procedure: row.procedure, bodySha256: row.body_sha256, answer: row.answer }
    },

    async claim(by, { bodySha256, procedure }) {
      return (await claimKey(db, { ...by, bodySha256, procedure })).changes === 1
    },

    async keep({ agentId, key }, answer) {
      await keepAnswer(db, { agentId, key, answer })
    },

    async prune(before, limit) {
      const { rows } = await sql`
        delete from answer where id in (select id from answer order by id limit ${limit})
          and created_at < ${before} returning 1 as deleted
      `.execute(db)
      return rows.length
    },
  }
}
