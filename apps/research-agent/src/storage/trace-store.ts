import { TraceStep } from '@deputy/contracts/trace'
import { sql, type Kysely, type Selectable } from 'kysely'
import * as z from 'zod'
import type { TraceStore } from '../trace/trace-store.ts'
import type { Tables, TraceStepTable } from './tables.ts'

const Scopes = z.array(z.string())

/** Creates the store on Kysely. */
export function createKyselyTraceStore(db: Kysely<Tables>): TraceStore {
  return {
    async append(jobId, step) {
      const next = sql<number>`(
        select coalesce(max(sequence), 0) + 1 from trace_step where job_id = ${jobId}
      )`
      const { sequence } = await db
        .insertInto('trace_step')
        .values({
          job_id: jobId,
          sequence: next,
          kind: step.kind,
          offset_ms: step.offsetMs,
          duration_ms: step.durationMs,
          decision: step.decision,
          reason: step.reason ?? null,
          detail: step.detail ?? null,
          tool: step.tool ?? null,
          scopes: step.scopes === undefined ? null : JSON.stringify(step.scopes),
          input_tokens: step.inputTokens ?? null,
          output_tokens: step.outputTokens ?? null,
          cost_micros: step.costMicros ?? null,
        })
        .returning('sequence')
        .executeTakeFirstOrThrow()
      return { ...step, sequence }
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
