import type { Clock, EpochSeconds } from '@deputy/auth/protocol'
import type { Call } from '@deputy/contracts/call'
import type { JobPage, JobsInput, JobSummary } from '@deputy/contracts/research'
import type { TraceStore, TraceTotals } from '../trace/trace-store.ts'
import { findState, type Job } from './job.ts'
import type { JobStore } from './job-store.ts'
import { pageOfJobs } from './own-jobs.ts'

const NOTHING: TraceTotals = { steps: 0, inputTokens: 0, outputTokens: 0 }

/** What is read of jobs. */
export type JobsDeps = {
  readonly jobs: JobStore
  readonly traces: TraceStore
  readonly clock: Clock
}

/** `research.jobs`: the caller's own jobs, newest first, with what each took. */
export async function listJobs(
  { clock, jobs, traces }: JobsDeps,
  { principal }: Call,
  input: JobsInput,
): Promise<JobPage> {
  const now = clock.now()
  const { page, ...next } = await pageOfJobs(jobs, principal, { ...input, now })
  const totals = await traces.total(page.map(({ jobId }) => jobId))
  const summaries = page.map((job) => toSummary(job, totals.get(job.jobId) ?? NOTHING, now))
  return { jobs: summaries, ...next }
}

function toSummary(job: Job, totals: TraceTotals, now: EpochSeconds): JobSummary {
  const { answeredBy, askedAt, completedAt, jobId, reason, receipt } = job
  return {
    jobId,
    state: findState(job, now),
    answeredBy,
    ...totals,
    askedAt,
    ...(reason === undefined ? {} : { reason }),
    ...(receipt === undefined ? {} : { cost: receipt.cost }),
    ...(completedAt === undefined ? {} : { completedAt }),
  }
}
