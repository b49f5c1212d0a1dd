// `research.ask`: each idempotency key is one job, and one brief.
import type { Call } from '@deputy/contracts/call'
import type { AskInput, Brief } from '@deputy/contracts/research'
import { randomUUID } from 'node:crypto'
import type { Job } from './jobs/job.ts'
import type { NewJob } from './jobs/job-store.ts'
import { settleJob } from './jobs/settle-job.ts'
import { workOnJob, type WorkDeps } from './jobs/work-on-job.ts'
import { refuseCall } from './refusals.ts'
import { sha256OfJson } from './sha256.ts'

export type AskDeps = WorkDeps & {
  /** The jobs that this process is working on: one that is in no process's hands may be settled. */
  readonly inHand: Set<string>
}

/** Answers a question. Throws `CallRefusal`. */
export async function ask(deps: AskDeps, { principal }: Call, input: AskInput): Promise<Brief> {
  const { clock, inHand, library } = deps
  const documents = await library.whenIndexed()
  if (!documents.ok) {
    throw refuseCall(
      'documents_unavailable',
      `There is nothing to search: ${documents.refusal.detail}`,
    )
  }
  const { idempotencyKey, maxSentences, question, taskGrant } = input
  const job: NewJob = {
    jobId: randomUUID(),
    asker: { agentId: principal.agentId, subject: principal.subject },
    question,
    idempotencyKey,
    bodySha256: sha256OfJson({ question, maxSentences, taskGrant }),
    askedAt: clock.now(),
  }
  inHand.add(job.jobId)
  try {
    const brief = await begin(deps, job)
    return (
      brief ??
      (await workOnJob(deps, { ...job, maxSentences, taskGrant, documents: documents.value }))
    )
  } finally {
    inHand.delete(job.jobId)
  }
}

/**
 * Begins a job, or answers the brief of the one that has its idempotency key already. A job that was
 * left open, because billing could not be reached when it was to be paid for, is settled first.
 */
async function begin(deps: AskDeps, job: NewJob): Promise<Brief | undefined> {
  const { inHand, jobs } = deps
  const earlier = await jobs.begin(job)
  if (earlier === undefined) return undefined
  if (earlier.bodySha256 !== job.bodySha256) {
    throw refuseCall('idempotency_conflict', 'The idempotency key was used for another question')
  }
  if (earlier.brief !== undefined) return earlier.brief
  if (!inHand.has(earlier.jobId)) {
    // Read again: it may have ended just before it was asked whether it is in hand.
    const left = (await jobs.find(earlier.jobId)) ?? earlier
    const brief = left.brief ?? (await settleLeft(deps, left))
    if (brief !== undefined) return brief
    // Its key is free now, unless billing is still away or another call was faster.
    if ((await jobs.begin(job)) === undefined) return undefined
  }
  throw refuseCall('job_in_progress', `The job ${earlier.jobId} is being worked on`)
}

async function settleLeft(deps: AskDeps, job: Job): Promise<Brief | undefined> {
  if (job.state !== 'working') return undefined
  return settleJob(deps, job, { billing: deps.billing(job.jobId), reason: 'interrupted' })
}
