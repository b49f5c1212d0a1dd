import type { Clock } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import type { BillingGateway } from '../billing/billing-gateway.ts'
import type { JobStore } from './job-store.ts'

/**
 * Ends the jobs that a process before this one left unfinished, and gives back what they held. A hold
 * that was captured just before the crash is refused by billing and stays captured: said in the log.
 */
export async function recoverJobs(deps: {
  readonly jobs: JobStore
  readonly billing: BillingGateway
  readonly clock: Clock
  readonly logger: Logger
}): Promise<void> {
  const { billing, clock, jobs, logger } = deps
  for (const { holdId, jobId } of await jobs.listWorking()) {
    await jobs.fail(jobId, 'interrupted', clock.now())
    const released = holdId === undefined ? undefined : await billing(jobId).release(holdId)
    const hold =
      released === undefined ? 'none' : released.ok ? 'released' : released.refusal.reason
    logger.warn({ jobId, holdId, hold }, 'a job was interrupted')
  }
}
