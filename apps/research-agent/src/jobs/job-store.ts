import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Asker, Job, JobResult } from './job.ts'

export type NewJob = Pick<
  Job,
  'jobId' | 'asker' | 'question' | 'bodySha256' | 'answeredBy' | 'askedAt'
> & {
  readonly idempotencyKey: string | undefined
}

/** Where jobs are kept. What a method answers is on disk. */
export type JobStore = {
  /** Begins a job, or answers the one that has this asker's (agent's and subject's) key already. */
  begin(job: NewJob): Promise<Job | undefined>
  find(jobId: string): Promise<Job | undefined>
  /** Notes how far a job has come, so that a crash leaves nothing held and nothing undelivered. */
  note(jobId: string, step: Partial<Pick<Job, 'quoteId' | 'holdId' | 'draft'>>): Promise<void>
  /** Ends a job that is working; it is settled with that. */
  complete(jobId: string, result: JobResult): Promise<void>
  /** Ends a job that is working, and frees its idempotency key: a new try is a new job. */
  fail(jobId: string, reason: string, now: EpochSeconds): Promise<void>
  /** Billing holds nothing for this job any more. */
  settle(jobId: string): Promise<void>
  /** Jobs of an asker (by subject), newest first, before a sequence number. */
  listByAsker(
    asker: Pick<Asker, 'subject'>,
    page: {
      readonly limit: number
      readonly before: number | undefined
      readonly state?: Job['state'] | undefined
    },
  ): Promise<readonly Job[]>
  /** Jobs that billing may still hold money for, oldest first. */
  listUnsettled(): Promise<readonly Job[]>
}
