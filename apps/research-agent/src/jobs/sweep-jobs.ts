import type { Job } from './job.ts'
import { startLease } from './lease.ts'
import { settleJob, type SettleDeps } from './settle-job.ts'

/**
 * Ends the jobs that nobody took up again in time, and gives back what is still held for those that have failed. At the
 * start, and again and again.
 */
export async function sweepJobs(deps: SettleDeps): Promise<void> {
  const { clock, jobs, logger, resumeSeconds } = deps
  for (const job of await jobs.listUnsettled(clock.now() - resumeSeconds)) {
    try {
      await sweepJob(deps, job)
    } catch (error) {
      logger.error({ jobId: job.jobId, err: error }, 'a job that was left cannot be settled')
    }
  }
}

async function sweepJob(deps: SettleDeps, { jobId, state, ...left }: Job): Promise<void> {
  const { billing, jobs, logger } = deps
  // Of several processes one settles it, and none while its asker takes it up.
  const job = state === 'working' ? await jobs.takeUp(jobId, startLease(deps)) : { ...left, jobId }
  if (job === undefined) return
  try {
    const brief = await settleJob(deps, job, { billing: billing(jobId), reason: 'interrupted' })
    const outcome = brief === undefined ? 'failed' : 'completed'
    logger.warn({ jobId, holdId: job.holdId, outcome }, 'a job was left')
  } finally {
    await jobs.layDown(jobId)
  }
}
