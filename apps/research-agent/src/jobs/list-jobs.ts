import type { Call } from '@deputy/contracts/call'
import type { JobPage, JobsInput, JobSummary } from '@deputy/contracts/research'
import type { TraceStore, TraceTotals } from '../trace/trace-store.ts'
import type { Job } from './job.ts'
import type { JobStore } from './job-store.ts'
import { pageOfJobs } from './own-jobs.ts'

const NOTHING: TraceTotals = { steps: 0, inputTokens: 0, outputTokens: 0 }

/** `research.jobs`: the caller's own jobs, newest first, with what each took. */
export async function listJobs(
  { jobs, traces }: { readonly jobs: JobStore; readonly traces: TraceStore },
  { principal }: Call,
  input: JobsInput,
): Promise<JobPage> {
  const { page, ...next } = await pageOfJobs(jobs, principal, input)
  const totals = await traces.total(page.map(({ jobId }) => jobId))
  return { jobs: page.map((job) => toSummary(job, totals.get(job.jobId) ?? NOTHING)), ...next }
}

function toSummary(job: Job, totals: TraceTotals): JobSummary {
  const { answeredBy, askedAt, completedAt, jobId, reason, receipt, state } = job
  return {
    jobId,
    state,
    answeredBy,
    ...totals,
    askedAt,
    ...(reason === undefined ? {} : { reason }),
    ...(receipt === undefined ? {} : { cost: receipt.cost }),
    ...(completedAt === undefined ? {} : { completedAt }),
  }
}
