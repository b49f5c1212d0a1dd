import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Brief, Receipt } from '@deputy/contracts/research'
import type { Asker, Job } from './job.ts'

export type NewJob = Pick<Job, 'jobId' | 'asker' | 'question' | 'bodySha256' | 'askedAt'> & {
  readonly idempotencyKey: string | undefined
}

/** Where jobs are kept. What a method answers is on disk. */
export type JobStore = {
  /** Begins a job, or answers the one that has this asker's (agent's and subject's) key already. */
  begin(job: NewJob): Promise<Job | undefined>
  find(jobId: string): Promise<Job | undefined>
  /** Notes the hold before the work, so that a crash leaves nothing held for ever. */
  setHold(jobId: string, holdId: string): Promise<void>
  complete(
    jobId: string,
    result: { readonly brief: Brief; readonly receipt: Receipt },
  ): Promise<void>
  /** Ends a job without an answer and frees its idempotency key: a new try is a new job. */
  fail(jobId: string, reason: string, now: EpochSeconds): Promise<void>
  /** Jobs of an asker (by subject), newest first, before a sequence number. */
  listByAsker(
    asker: Pick<Asker, 'subject'>,
    page: { readonly limit: number; readonly before: number | undefined },
  ): Promise<readonly Job[]>
  /** Jobs that a process left unfinished. */
  listWorking(): Promise<readonly Job[]>
}
