import type { Call } from '@deputy/contracts/call'
import type { Conversation, ConversationPage, ConversationsInput } from '@deputy/contracts/research'
import { refuseCall } from '../refusals.ts'
import type { Job } from './job.ts'
import type { JobStore } from './job-store.ts'

/** `conversations.list`: the caller's own jobs, newest first, in pages. */
export async function listConversations(
  jobs: JobStore,
  { principal }: Call,
  { cursor, limit }: ConversationsInput,
): Promise<ConversationPage> {
  const before = cursor === undefined ? undefined : parseCursor(cursor)
  const found = await jobs.listByAsker(principal, { limit: limit + 1, before })
  const page = found.slice(0, limit)
  const last = page.at(-1)
  const isMore = found.length > limit && last !== undefined
  return {
    conversations: page.map(toConversation),
    ...(isMore ? { nextCursor: formatCursor(last.sequence) } : {}),
  }
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

/** Opaque to callers, who must not count on what is in it. */
function formatCursor(sequence: number): string {
  return Buffer.from(`job:${String(sequence)}`).toString('base64url')
}

function parseCursor(cursor: string): number {
  const sequence = /^job:(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'))?.[1]
  if (sequence === undefined) throw refuseCall('cursor_invalid', 'The cursor is not one of ours')
  return Number(sequence)
}
