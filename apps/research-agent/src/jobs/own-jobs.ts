// A caller's own jobs, and nobody else's: whose a job is, its subject says.
import type { Principal } from '@deputy/auth'
import type { EpochSeconds } from '@deputy/auth/protocol'
import { refuseCall } from '../refusals.ts'
import type { Job, JobState } from './job.ts'
import type { JobStore } from './job-store.ts'

/** The job, if it is the caller's. For anybody else a job that exists looks like one that does not. */
export async function findOwnJob(
  jobs: JobStore,
  { subject }: Pick<Principal, 'subject'>,
  jobId: string,
): Promise<Job> {
  const job = await jobs.find(jobId)
  if (job?.asker.subject === subject) return job
  throw refuseCall('job_unknown', `There is no job ${jobId}`)
}

export type PageInput = {
  readonly cursor?: string | undefined
  readonly limit: number
  readonly state?: JobState | undefined
  readonly now: EpochSeconds
}

/** A page of the caller's jobs, newest first. Throws `cursor_invalid`. */
export async function pageOfJobs(
  jobs: JobStore,
  { subject }: Pick<Principal, 'subject'>,
  { cursor, limit, now, state }: PageInput,
): Promise<{ readonly page: readonly Job[]; readonly nextCursor?: string }> {
  const before = cursor === undefined ? undefined : parseCursor(cursor)
  const found = await jobs.listByAsker({ subject }, { limit: limit + 1, before, state, now })
  const page = found.slice(0, limit)
  const last = page.at(-1)
  const isMore = found.length > limit && last !== undefined
  return { page, ...(isMore ? { nextCursor: formatCursor(last.sequence) } : {}) }
}

/** Opaque to callers, who must not count on what is in it. */
function formatCursor(sequence: number): string {
  return Buffer.from(`job:${String(sequence)}`).toString('base64url')
}

function parseCursor(cursor: string): number {
  const sequence = /^job:(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'))?.[1]
  if (sequence === undefined) throw refuseCall('cursor_invalid', 'The cursor is not one of ours')
  return Number(sequence)
}
