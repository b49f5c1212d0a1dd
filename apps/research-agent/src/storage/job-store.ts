import { Quote } from '@deputy/contracts/billing'
import { Brief, Receipt } from '@deputy/contracts/research'
import { sql, type Kysely, type Selectable } from 'kysely'
import * as z from 'zod'
import { findState, type Job } from '../jobs/job.ts'
import { LeaseLostError, type JobStore } from '../jobs/job-store.ts'
import type { JobTable, Tables } from './tables.ts'

const Draft = z.object({ brief: Brief, receipt: Receipt })

/** Creates the store on Kysely, for one worker, whose name nobody else has. */
export function createKyselyJobStore(db: Kysely<Tables>, worker: string): JobStore {
  /** A job that is in this worker's hands. */
  const updateOwn = (jobId: string) =>
    db
      .updateTable('job')
      .where('id', '=', jobId)
      .where('state', '=', 'working')
      .where('worker', '=', worker)

  return {
    async begin(job, leaseUntil) {
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
          max_sentences: job.maxSentences,
          task_grant: job.taskGrant ?? null,
          state: 'working',
          worker,
          lease_until: leaseUntil,
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

    async takeUp(jobId, { now, until }) {
      const row = await db
        .updateTable('job')
        .set({
          worker,
          lease_until: until,
          losses: sql`losses + (worker is not null)`,
        })
        .where('id', '=', jobId)
        .where('state', '=', 'working')
        .where('lease_until', '<=', now)
        .returningAll()
        .executeTakeFirst()
      return row && { ...toJob(row), checkpoint: row.checkpoint ?? undefined }
    },

    async renew(leaseUntil, jobId) {
      const { numUpdatedRows } = await db
        .updateTable('job')
        .set({ lease_until: leaseUntil })
        .where('state', '=', 'working')
        .where('worker', '=', worker)
        .$if(jobId !== undefined, (query) => query.where('id', '=', jobId ?? ''))
        .executeTakeFirst()
      return Number(numUpdatedRows)
    },

    async layDown(jobId) {
      await updateOwn(jobId).set({ worker: null, lease_until: 0 }).execute()
    },

    async note(jobId, { checkpoint, draft, quote, ...step }) {
      const { numUpdatedRows } = await updateOwn(jobId)
        .set({
          ...('quoteId' in step ? { quote_id: step.quoteId ?? null } : {}),
          ...('holdId' in step ? { hold_id: step.holdId ?? null } : {}),
          ...(quote === undefined ? {} : { quote: JSON.stringify(quote) }),
          ...(draft === undefined ? {} : { draft: JSON.stringify(draft) }),
          ...(checkpoint === undefined ? {} : { checkpoint }),
        })
        .executeTakeFirst()
      if (numUpdatedRows === 0n) throw new LeaseLostError(jobId)
    },

    async complete(jobId, { brief, receipt }) {
      const { numUpdatedRows } = await updateOwn(jobId)
        .set({
          ...ENDED,
          state: 'completed',
          brief: JSON.stringify(brief),
          receipt: JSON.stringify(receipt),
          completed_at: brief.completedAt,
          settled: 1,
        })
        .executeTakeFirst()
      if (numUpdatedRows === 0n) throw new LeaseLostError(jobId)
    },

    async fail(jobId, reason, now) {
      await updateOwn(jobId)
        .set({ ...ENDED, state: 'failed', reason, completed_at: now, idempotency_key: null })
        .execute()
    },

    async settle(jobId) {
      await db
        .updateTable('job')
        .set({ settled: 1 })
        .where('id', '=', jobId)
        .where('state', '<>', 'working')
        .execute()
    },

    async listByAsker({ subject }, { before, limit, now, state }) {
      const rows = await db
        .selectFrom('job')
        .selectAll()
        .where('asker_subject', '=', subject)
        .$if(state !== undefined, (query) =>
          query.where('state', '=', state === 'interrupted' ? 'working' : (state ?? 'working')),
        )
        .$if(state === 'interrupted', (query) => query.where('lease_until', '<=', now))
        .$if(state === 'working', (query) => query.where('lease_until', '>', now))
        .$if(before !== undefined, (query) => query.where('sequence', '<', before ?? 0))
        .orderBy('sequence', 'desc')
        .limit(limit)
        .execute()
      return rows.map(toJob)
    },

    async countUnsettled(now) {
      const rows = await db
        .selectFrom('job')
        .select(['state', 'lease_until'])
        .where('settled', '=', 0)
        .execute()
      const counted = { working: 0, interrupted: 0, failed: 0, completed: 0 }
      for (const row of rows) {
        counted[findState({ state: row.state, leaseUntil: row.lease_until }, now)] += 1
      }
      return counted
    },

    async listUnsettled(leftBefore) {
      const rows = await db
        .selectFrom('job')
        .selectAll()
        .where('settled', '=', 0)
        .where((match) =>
          match.or([match('state', '<>', 'working'), match('lease_until', '<=', leftBefore)]),
        )
        .orderBy('sequence')
        .execute()
      return rows.map(toJob)
    },
  }
}

/** What nobody needs any more once a job has ended. Who ended it stays: its last step is theirs to write. */
const ENDED = { draft: null, quote: null, checkpoint: null, lease_until: 0 } as const

function toJob(row: Selectable<JobTable>): Job {
  return {
    jobId: row.id,
    asker: { agentId: row.asker_agent_id, subject: row.asker_subject },
    question: row.question,
    bodySha256: row.body_sha256,
    answeredBy: row.answered_by,
    state: row.state,
    reason: row.reason ?? undefined,
    maxSentences: row.max_sentences,
    taskGrant: row.task_grant ?? undefined,
    leaseUntil: row.lease_until,
    losses: row.losses,
    quoteId: row.quote_id ?? undefined,
    quote: row.quote === null ? undefined : Quote.parse(JSON.parse(row.quote)),
    holdId: row.hold_id ?? undefined,
    draft: row.draft === null ? undefined : Draft.parse(JSON.parse(row.draft)),
    brief: row.brief === null ? undefined : Brief.parse(JSON.parse(row.brief)),
    receipt: row.receipt === null ? undefined : Receipt.parse(JSON.parse(row.receipt)),
    askedAt: row.asked_at,
    completedAt: row.completed_at ?? undefined,
    sequence: row.sequence,
  }
}
