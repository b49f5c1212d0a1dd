import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Quote } from '@deputy/contracts/billing'
import type { Brief, Receipt } from '@deputy/contracts/research'
import type { JOB_STATES } from '@deputy/contracts/trace'

/** Who asked, as far as a job remembers it. */
export type Asker = { readonly agentId: string; readonly subject: string }

/** What a job comes to: what its asker gets, and what its payer does. */
export type JobResult = { readonly brief: Brief; readonly receipt: Receipt }

/** What its asker sees of how far it is. */
export type JobState = (typeof JOB_STATES)[number]

/** A piece of work, from the moment it was asked for. */
export type Job = {
  readonly jobId: string
  readonly asker: Asker
  readonly question: string
  readonly maxSentences: number
  /** What the work is paid for within; without one, by research itself. */
  readonly taskGrant: string | undefined
  /** Of the input, to tell a repeated call from another one under the same key. */
  readonly bodySha256: string
  /** `rules`, or the provider and name of a model. */
  readonly answeredBy: string
  readonly state: Exclude<JobState, 'interrupted'>
  /** Until then somebody works on it, if it is working; afterwards anybody may take it up. */
  readonly leaseUntil: EpochSeconds
  /** How often whoever worked on it was lost, as in a crash. */
  readonly losses: number
  /** Why it failed. */
  readonly reason: string | undefined
  /** Set before a hold is asked for. */
  readonly quoteId: string | undefined
  readonly quote: Quote | undefined
  readonly holdId: string | undefined
  /** What was found, while it is being paid for. */
  readonly draft: JobResult | undefined
  readonly brief: Brief | undefined
  readonly receipt: Receipt | undefined
  readonly askedAt: EpochSeconds
  readonly completedAt: EpochSeconds | undefined
  /** Grows with each job: pages are cut by it. */
  readonly sequence: number
}

/** The state that its asker sees. */
export function findState(
  { leaseUntil, state }: Pick<Job, 'leaseUntil' | 'state'>,
  now: EpochSeconds,
): JobState {
  return state === 'working' && leaseUntil <= now ? 'interrupted' : state
}
