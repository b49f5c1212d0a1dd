import type { Call } from '@deputy/contracts/call'
import type { TraceInput } from '@deputy/contracts/research'
import type { Trace, TraceStep } from '@deputy/contracts/trace'
import { findState } from '../jobs/job.ts'
import type { JobsDeps } from '../jobs/list-jobs.ts'
import { findOwnJob } from '../jobs/own-jobs.ts'

/** `research.trace`: what was done for a job of the caller's own, also while it is done. */
export async function readTrace(
  { clock, jobs, traces }: JobsDeps,
  { principal }: Call,
  { jobId }: TraceInput,
): Promise<Trace> {
  const job = await findOwnJob(jobs, principal, jobId)
  const { answeredBy, askedAt, question, reason } = job
  const steps = [...(await traces.list(jobId))]
  return {
    jobId,
    question,
    state: findState(job, clock.now()),
    answeredBy,
    askedAt,
    ...(reason === undefined ? {} : { reason }),
    steps,
    totals: addUp(steps),
  }
}

function addUp(steps: readonly TraceStep[]): Trace['totals'] {
  const sum = (read: (step: TraceStep) => number | undefined): number =>
    steps.reduce((total, step) => total + (read(step) ?? 0), 0)
  const count = (fits: (step: TraceStep) => boolean): number => steps.filter(fits).length
  return {
    durationMs: Math.max(0, ...steps.map(({ durationMs, offsetMs }) => offsetMs + durationMs)),
    modelCalls: count(({ kind }) => kind === 'model'),
    toolCalls: count(({ kind }) => kind === 'tool'),
    refused: count(
      ({ decision, kind }) => decision === 'refused' && (kind === 'policy' || kind === 'tool'),
    ),
    inputTokens: sum(({ inputTokens }) => inputTokens),
    outputTokens: sum(({ outputTokens }) => outputTokens),
    costMicros: sum(({ costMicros }) => costMicros),
  }
}
