// The port of the contract, implemented.
import { BILLING_AGENT_ID } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import type { Receipt, ReceiptInput, ResearchService } from '@deputy/contracts/research'
import { answer, ask } from './ask.ts'
import type { JobStore } from './jobs/job-store.ts'
import { getConversation, listConversations } from './jobs/list-conversations.ts'
import { listJobs } from './jobs/list-jobs.ts'
import { createRunningJobs } from './jobs/running-jobs.ts'
import type { WorkDeps } from './jobs/work-on-job.ts'
import { refuseCall } from './refusals.ts'
import { readTrace } from './trace/read-trace.ts'

/** The service, and the end of what it works on. */
export type ClosableResearchService = ResearchService & {
  /** Lays down the jobs under way, for whoever asked to have them taken up again; the others end, and nothing is held for them. */
  close(): Promise<void>
}

/** Creates the service. */
export function createResearchService(deps: WorkDeps): ClosableResearchService {
  const running = createRunningJobs()
  return {
    ask: (call, input) => ask({ ...deps, running }, call, input),
    answer: async (call, input) => answer({ ...deps, running }, call, input),
    listJobs: async (call, input) => listJobs(deps, call, input),
    receipt: async (call, input) => readReceipt(deps.jobs, call, input),
    trace: async (call, input) => readTrace(deps, call, input),
    listConversations: async (call, input) => listConversations(deps, call, input),
    getConversation: async (call, input) => getConversation(deps, call, input),
    close: async () =>
      running.close(refuseCall('interrupted', 'The agent was closed before the job was done')),
  }
}

/**
 * `research.receipt`: for who asked; and for billing, whoever it acts for, if it names the hold that paid for the job. For
 * anybody else a job that exists looks like one that does not. Attack prevented: mallory places a hold with the id of
 * alice's job as its reference, and has billing fetch the evidence.
 */
async function readReceipt(
  jobs: JobStore,
  { principal }: Call,
  { holdId, jobId }: ReceiptInput,
): Promise<Receipt> {
  const job = await jobs.find(jobId)
  const isAsker = principal.subject === job?.asker.subject
  const isPaid = principal.agentId === BILLING_AGENT_ID && holdId === job?.receipt?.holdId
  if (job?.receipt === undefined || !(isAsker || isPaid)) {
    throw refuseCall('receipt_unknown', `There is no receipt for ${jobId}`)
  }
  return job.receipt
}
