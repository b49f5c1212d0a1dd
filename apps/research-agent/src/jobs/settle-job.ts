// How a job ends that did not go its way: what is held for it is given back. When billing says that it
// was paid for after all, because only the answer to the capture was lost, its brief is delivered.
import type { Brief } from '@deputy/contracts/research'
import type { Logger } from '@deputy/serve'
import type { BillingGateway, JobBilling } from '../billing/billing-gateway.ts'
import type { Job, JobResult } from './job.ts'
import type { JobStore } from './job-store.ts'
import type { LeaseTerms } from './lease.ts'

export type SettleDeps = LeaseTerms & {
  readonly jobs: JobStore
  readonly billing: BillingGateway
  readonly logger: Logger
  /** How long a job that nobody works on waits for its asker. */
  readonly resumeSeconds: number
}

/** How far a job has come. */
export type OpenJob = Pick<Job, 'jobId' | 'quoteId' | 'quote' | 'holdId' | 'draft'>

/**
 * Settles a job with billing and answers its brief if that was paid for; otherwise the job has failed
 * with `reason`. While billing cannot be reached, a job whose brief may be paid for stays open, and any
 * other one fails now and is released by a later sweep. Of a job under way its worker alone may do this.
 */
export async function settleJob(
  { clock, jobs, logger }: Omit<SettleDeps, 'billing' | 'leaseSeconds' | 'resumeSeconds'>,
  job: OpenJob,
  { billing, reason }: { readonly billing: JobBilling; readonly reason: string },
): Promise<Brief | undefined> {
  const { draft, jobId } = job
  const hold = await endHold(billing, job)
  if (hold === 'captured' && draft !== undefined) return completeJob(jobs, draft, billing)
  if (hold === 'unknown') logger.warn({ jobId, holdId: job.holdId }, 'a hold is not released yet')
  if (hold === 'unknown' && draft !== undefined) return undefined
  await jobs.fail(jobId, reason, clock.now())
  if (hold !== 'unknown') await jobs.settle(jobId)
  return undefined
}

/** Ends a job with the brief that was paid for, and with the calls that this took. */
export async function completeJob(
  jobs: JobStore,
  { brief, receipt }: JobResult,
  { calls }: Pick<JobBilling, 'calls'>,
): Promise<Brief> {
  const complete = { ...brief, calls: [...brief.calls, ...calls] }
  await jobs.complete(brief.jobId, { brief: complete, receipt })
  return complete
}

/** Gives back what is held, and says what became of it. */
async function endHold(
  billing: JobBilling,
  { holdId, quoteId }: OpenJob,
): Promise<'none' | 'released' | 'captured' | 'unknown'> {
  if (quoteId === undefined) return 'none'
  // Whether a hold whose answer never came was placed is learned by asking for it again: it is placed once.
  const held = holdId === undefined ? await billing.hold(quoteId) : undefined
  if (held?.ok === false) return held.refusal.kind === 'refused' ? 'none' : 'unknown'
  const released = await billing.release(held?.value.holdId ?? holdId ?? '')
  if (released.ok) return 'released'
  if (released.refusal.kind === 'unavailable') return 'unknown'
  return released.refusal.reason === 'hold_captured' ? 'captured' : 'none'
}
