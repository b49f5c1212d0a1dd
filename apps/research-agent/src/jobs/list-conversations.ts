import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Call } from '@deputy/contracts/call'
import type {
  Conversation,
  ConversationInput,
  ConversationPage,
  ConversationsInput,
  FullConversation,
} from '@deputy/contracts/research'
import { findState, type Job } from './job.ts'
import type { JobsDeps } from './list-jobs.ts'
import { findOwnJob, pageOfJobs } from './own-jobs.ts'

/** `conversations.get`: a question of the caller's own, with its answer. */
export async function getConversation(
  { clock, jobs }: Omit<JobsDeps, 'traces'>,
  { principal }: Call,
  { jobId }: ConversationInput,
): Promise<FullConversation> {
  const job = await findOwnJob(jobs, principal, jobId)
  return {
    ...toConversation(job, clock.now()),
    ...(job.brief === undefined ? {} : { brief: job.brief }),
  }
}

/** `conversations.list`: the caller's own jobs, newest first, in pages. */
export async function listConversations(
  { clock, jobs }: Omit<JobsDeps, 'traces'>,
  { principal }: Call,
  { cursor, limit }: ConversationsInput,
): Promise<ConversationPage> {
  const now = clock.now()
  const { page, ...next } = await pageOfJobs(jobs, principal, { cursor, limit, now })
  return { conversations: page.map((job) => toConversation(job, now)), ...next }
}

function toConversation(job: Job, now: EpochSeconds): Conversation {
  const { askedAt, brief, completedAt, jobId, question, reason } = job
  return {
    jobId,
    question,
    state: findState(job, now),
    sentences: brief?.sentences.length ?? 0,
    askedAt,
    ...(reason === undefined ? {} : { reason }),
    ...(completedAt === undefined ? {} : { completedAt }),
  }
}
