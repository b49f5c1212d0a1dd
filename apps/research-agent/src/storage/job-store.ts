import { Brief, Receipt } from '@deputy/contracts/research'
import type { Kysely, Selectable } from 'kysely'
import * as z from 'zod'
import type { Job } from '../jobs/job.ts'
import type { JobStore } from '../jobs/job-store.ts'
import type { JobTable, Tables } from './tables.ts'

const Draft = z.object({ brief: Brief, receipt: Receipt })

/** Creates the store on Kysely. */
export function createKyselyJobStore(db: Kysely<Tables>): JobStore {
  return {
    async begin(job) {
      const { asker, idempotencyKey: key } = job
      const result = await db
        .insertInto('job')
        .values({
          id: job.jobId,
          asker_agent_id: asker.agentId,
          asker_subject: asker.subject,
          question: job.question,
          idempotency_key: key ?? null,
          body_sha256: job.bodySha256,
          answered_by: job.answeredBy,
          state: 'working',
          asked_at: job.askedAt,
        })
        // Of parallel asks with one key, one begins: the index decides.
        .onConflict((conflict) =>
          conflict.columns(['asker_agent_id', 'asker_subject', 'idempotency_key']).doNothing(),
        )
        .executeTakeFirstOrThrow()
      if (result.numInsertedOrUpdatedRows === 1n || key === undefined) return undefined
      const row = await db
        .selectFrom('job')
        .selectAll()
        .where('asker_agent_id', '=', asker.agentId)
        .where('asker_subject', '=', asker.subject)
        .where('idempotency_key', '=', key)
        .executeTakeFirstOrThrow()
      return toJob(row)
    },

    async find(jobId) {
      const row = await db.selectFrom('job').selectAll().where('id', '=', jobId).executeTakeFirst()
      return row && toJob(row)
    },

    async note(jobId, { draft, ...step }) {
      await db
        .updateTable('job')
        .set({
          ...('quoteId' in step ? { quote_id: step.quoteId ?? null } : {}),
          ...('holdId' in step ? { hold_id: step.holdId ?? null } : {}),
          ...(draft === undefined ? {} : { draft: JSON.stringify(draft) }),
        })
        .where('id', '=', jobId)
        .execute()
    },

    async complete(jobId, { brief, receipt }) {
      await db
        .updateTable('job')
        .set({
          state: 'completed',
          brief: JSON.stringify(brief),
          receipt: JSON.stringify(receipt),
          draft: null,
          completed_at: brief.completedAt,
          settled: 1,
        })
        .where('id', '=', jobId)
        .where('state', '=', 'working')
        .execute()
    },

    async fail(jobId, reason, now) {
      await db
        .updateTable('job')
        .set({ state: 'failed', reason, draft: null, completed_at: now, idempotency_key: null })
        .where('id', '=', jobId)
        .where('state', '=', 'working')
        .execute()
    },

    async settle(jobId) {
      await db.updateTable('job').set({ settled: 1 }).where('id', '=', jobId).execute()
    },

    async listByAsker({ subject }, { before, limit, state }) {
      const rows = await db
        .selectFrom('job')
        .selectAll()
        .where('asker_subject', '=', subject)
        .$if(state !== undefined, (query) => query.where('state', '=', state ?? 'working'))
        .$if(before !== undefined, (query) => query.where('sequence', '<', before ?? 0))
        .orderBy('sequence', 'desc')
        .limit(limit)
        .execute()
      return rows.map(toJob)
    },

    async listUnsettled() {
      const rows = await db
        .selectFrom('job')
        .selectAll()
        .where('settled', '=', 0)
        .orderBy('sequence')
        .execute()
      return rows.map(toJob)
    },
  }
}

function toJob(row: Selectable<JobTable>): Job {
  return {
    jobId: row.id,
    asker: { agentId: row.asker_agent_id, subject: row.asker_subject },
    question: row.question,
    bodySha256: row.body_sha256,
    answeredBy: row.answered_by,
    state: row.state,
    reason: row.reason ?? undefined,
    quoteId: row.quote_id ?? undefined,
    holdId: row.hold_id ?? undefined,
    draft: row.draft === null ? undefined : Draft.parse(JSON.parse(row.draft)),
    brief: row.brief === null ? undefined : Brief.parse(JSON.parse(row.brief)),
    receipt: row.receipt === null ? undefined : Receipt.parse(JSON.parse(row.receipt)),
    askedAt: row.asked_at,
    completedAt: row.completed_at ?? undefined,
    sequence: row.sequence,
  }
}
