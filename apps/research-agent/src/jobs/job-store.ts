import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Asker, Job, JobResult, JobState } from './job.ts'

export type NewJob = Pick<
  Job,
  | 'jobId'
  | 'asker'
  | 'question'
  | 'maxSentences'
  | 'taskGrant'
  | 'bodySha256'
  | 'answeredBy'
  | 'askedAt'
> & {
  readonly idempotencyKey: string | undefined
}

/** How far a job has come. `checkpoint` is where the loop was, as JSON of its own. */
export type JobStep = Partial<Pick<Job, 'quoteId' | 'quote' | 'holdId' | 'draft'>> & {
  readonly checkpoint?: string
}

/** Somebody else works on the job since: whoever finds that out leaves it, and its money, to them. */
export class LeaseLostError extends Error {
  override name = 'LeaseLostError'
  constructor(jobId: string) {
    super(`another process works on the job ${jobId}`)
  }
}

/** When it is, and until when a job is taken. */
export type Lease = { readonly now: EpochSeconds; readonly until: EpochSeconds }

/**
 * Where jobs are kept, for one worker: who has the lease of a job may note and end it, and nobody else. What a method answers
 * is on disk.
 */
export type JobStore = {
  /** Begins a job with its lease, or answers the one that has this asker's (agent's and subject's) key already. */
  begin(job: NewJob, leaseUntil: EpochSeconds): Promise<Job | undefined>
  find(jobId: string): Promise<Job | undefined>
  /**
   * Takes the lease of a job that is working and that nobody works on, and counts a loss where somebody had not laid it down.
   * Of parallel attempts one gets it. Answers the job with its checkpoint.
   */
  takeUp(
    jobId: string,
    lease: Lease,
  ): Promise<(Job & { readonly checkpoint: string | undefined }) | undefined>
  /** Prolongs the leases that this worker has, or the one of a job. Answers how many. */
  renew(leaseUntil: EpochSeconds, jobId?: string): Promise<number>
  /** Gives a lease back: the job may be taken up at once. */
  layDown(jobId: string): Promise<void>
  /** Notes how far a job has come, so that a crash leaves nothing held and nothing undelivered. Throws `LeaseLostError`. */
  note(jobId: string, step: JobStep): Promise<void>
  /** Ends a job that is working; it is settled with that. Throws `LeaseLostError`. */
  complete(jobId: string, result: JobResult): Promise<void>
  /** Ends a job that is working, and frees its idempotency key: a new try is a new job. */
  fail(jobId: string, reason: string, now: EpochSeconds): Promise<void>
  /** Billing holds nothing any more for this job, which has ended; one that somebody works on is left as it is. */
  settle(jobId: string): Promise<void>
  /** Jobs of an asker (by subject), newest first, before a sequence number. */
  listByAsker(
    asker: Pick<Asker, 'subject'>,
    page: {
      readonly limit: number
      readonly before: number | undefined
      readonly state?: JobState | undefined
      readonly now: EpochSeconds
    },
  ): Promise<readonly Job[]>
  /** How many are not settled, by state at a moment. */
  countUnsettled(
    now: EpochSeconds,
  ): Promise<Readonly<Record<Exclude<JobState, 'completed'>, number>>>
  /** Jobs that nobody works on since a moment, and that billing may still hold money for, oldest first. */
  listUnsettled(leftBefore: EpochSeconds): Promise<readonly Job[]>
}
