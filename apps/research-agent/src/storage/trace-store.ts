import { TraceStep } from '@deputy/contracts/trace'
import { sql, type Kysely, type Selectable } from 'kysely'
import * as z from 'zod'
import { LeaseLostError } from '../jobs/job-store.ts'
import type { TraceStore } from '../trace/trace-store.ts'
import type { Tables, TraceStepTable } from './tables.ts'

const Scopes = z.array(z.string())

/** Creates the store on Kysely, for the worker whose jobs a job store of this name has. */
export function createKyselyTraceStore(db: Kysely<Tables>, worker: string): TraceStore {
  return {
    async append(jobId, step) {
      const next = sql<number>`(
        select coalesce(max(sequence), 0) + 1 from trace_step where job_id = ${jobId}
      )`
      const scopes = step.scopes === undefined ? null : JSON.stringify(step.scopes)
      const { rows } = await sql<{ sequence: number }>`
        insert into trace_step (job_id, sequence, kind, offset_ms, duration_ms, decision, reason, detail, tool, scopes,
          input_tokens, output_tokens, cost_micros)
        select id, ${next}, ${step.kind}, ${step.offsetMs}, ${step.durationMs}, ${step.decision}, ${step.reason ?? null},
          ${step.detail ?? null}, ${step.tool ?? null}, ${scopes}, ${step.inputTokens ?? null},
          ${step.outputTokens ?? null}, ${step.costMicros ?? null}
        from job where id = ${jobId} and worker = ${worker}
        returning sequence
      `.execute(db)
      if (rows[0] === undefined) throw new LeaseLostError(jobId)
      return { ...step, sequence: rows[0].sequence }
    },

    async list(jobId, after = 0) {
      const rows = await db
        .selectFrom('trace_step')
        .selectAll()
        .where('job_id', '=', jobId)
        .where('sequence', '>', after)
        .orderBy('sequence')
        .execute()
      return rows.map(toStep)
    },

    async total(jobIds) {
      if (jobIds.length === 0) return new Map()
      const rows = await db
        .selectFrom('trace_step')
        .select((select) => [
          'job_id',
          select.fn.countAll<number>().as('steps'),
          select.fn.coalesce(select.fn.sum<number>('input_tokens'), sql.lit(0)).as('input'),
          select.fn.coalesce(select.fn.sum<number>('output_tokens'), sql.lit(0)).as('output'),
        ])
        .where('job_id', 'in', jobIds)
        .groupBy('job_id')
        .execute()
      return new Map(
        rows.map(({ input, job_id, output, steps }) => [
          job_id,
          { steps, inputTokens: input, outputTokens: output },
        ]),
      )
    },
  }
}

function toStep(row: Selectable<TraceStepTable>): TraceStep {
  return TraceStep.parse({
    sequence: row.sequence,
    kind: row.kind,
    offsetMs: row.offset_ms,
    durationMs: row.duration_ms,
    decision: row.decision,
    reason: row.reason ?? undefined,
    detail: row.detail ?? undefined,
    tool: row.tool ?? undefined,
    scopes: row.scopes === null ? undefined : Scopes.parse(JSON.parse(row.scopes)),
    inputTokens: row.input_tokens ?? undefined,
    outputTokens: row.output_tokens ?? undefined,
    costMicros: row.cost_micros ?? undefined,
  })
}
