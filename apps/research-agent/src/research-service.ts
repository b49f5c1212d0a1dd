// The port of the contract, implemented.
import { BILLING_AGENT_ID } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import type { Receipt, ReceiptInput, ResearchService } from '@deputy/contracts/research'
import { ask } from './ask.ts'
import type { JobStore } from './jobs/job-store.ts'
import { listConversations } from './jobs/list-conversations.ts'
import type { WorkDeps } from './jobs/work-on-job.ts'
import { refuseCall } from './refusals.ts'

/** Creates the service. */
export function createResearchService(deps: WorkDeps): ResearchService {
  const inHand = new Set<string>()
  return {
    ask: async (call, input) => ask({ ...deps, inHand }, call, input),
    receipt: async (call, input) => readReceipt(deps.jobs, call, input),
    listConversations: async (call, input) => listConversations(deps.jobs, call, input),
  }
}

/**
 * `research.receipt`: for who asked, and for billing, which was paid for it. For anybody else a job that
 * exists looks like one that does not.
 */
async function readReceipt(
  jobs: JobStore,
  { principal }: Call,
  { jobId }: ReceiptInput,
): Promise<Receipt> {
  const job = await jobs.find(jobId)
  const mayRead = principal.agentId === BILLING_AGENT_ID || principal.subject === job?.asker.subject
  if (job?.receipt === undefined || !mayRead) {
    throw refuseCall('receipt_unknown', `There is no receipt for ${jobId}`)
  }
  return job.receipt
}
