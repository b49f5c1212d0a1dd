import type { Job } from './job.ts'
import { settleJob, type SettleDeps } from './settle-job.ts'

/** Settles the jobs that a process before this one left open, or could not release the money of. */
export async function recoverJobs(deps: SettleDeps, open: readonly Job[]): Promise<void> {
  const { billing, logger } = deps
  for (const job of open) {
    const { holdId, jobId } = job
    try {
      const brief = await settleJob(deps, job, { billing: billing(jobId), reason: 'interrupted' })
      const outcome = brief === undefined ? 'failed' : 'completed'
      logger.warn({ jobId, holdId, outcome }, 'a job was interrupted')
    } catch (error) {
      logger.error({ jobId, holdId, err: error }, 'a job that was interrupted cannot be settled')
    }
  }
}
