import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Brief, Receipt } from '@deputy/contracts/research'

/** Who asked, as far as a job remembers it. */
export type Asker = { readonly agentId: string; readonly subject: string }

/** What a job comes to: what its asker gets, and what its payer does. */
export type JobResult = { readonly brief: Brief; readonly receipt: Receipt }

/** A piece of work, from the moment it was asked for. */
export type Job = {
  readonly jobId: string
  readonly asker: Asker
  readonly question: string
  /** Of the input, to tell a repeated call from another one under the same key. */
  readonly bodySha256: string
  /** `rules`, or the provider and name of a model. */
  readonly answeredBy: string
  readonly state: 'working' | 'completed' | 'failed'
  /** Why it failed. */
  readonly reason: string | undefined
  /** Set before a hold is asked for. */
  readonly quoteId: string | undefined
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
