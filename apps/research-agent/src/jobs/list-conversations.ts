import type { Call } from '@deputy/contracts/call'
import type {
  Conversation,
  ConversationInput,
  ConversationPage,
  ConversationsInput,
  FullConversation,
} from '@deputy/contracts/research'
import type { Job } from './job.ts'
import { findOwnJob, pageOfJobs } from './own-jobs.ts'
import type { JobStore } from './job-store.ts'

/** `conversations.get`: a question of the caller's own, with its answer. */
export async function getConversation(
  jobs: JobStore,
  { principal }: Call,
  { jobId }: ConversationInput,
): Promise<FullConversation> {
  const job = await findOwnJob(jobs, principal, jobId)
  return { ...toConversation(job), ...(job.brief === undefined ? {} : { brief: job.brief }) }
}

/** `conversations.list`: the caller's own jobs, newest first, in pages. */
export async function listConversations(
  jobs: JobStore,
  { principal }: Call,
  { cursor, limit }: ConversationsInput,
): Promise<ConversationPage> {
  const { page, ...next } = await pageOfJobs(jobs, principal, { cursor, limit })
  return { conversations: page.map(toConversation), ...next }
}

function toConversation(job: Job): Conversation {
  const { askedAt, brief, completedAt, jobId, question, reason, state } = job
  return {
    jobId,
    question,
    state,
    sentences: brief?.sentences.length ?? 0,
    askedAt,
    ...(reason === undefined ? {} : { reason }),
    ...(completedAt === undefined ? {} : { completedAt }),
  }
}
