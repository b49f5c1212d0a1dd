// What the research agent promises: cited briefs over real documents. Every caller sees its own jobs only.
import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import * as z from 'zod'
import { CallRecord, toCall, type Call } from './call.ts'
import { IdempotencyKey } from './idempotency-key.ts'
import { Money } from './money.ts'

/** The research agent's id: the audience of tokens for it. */
export const RESEARCH_AGENT_ID = 'agent-research-v1'

const JobId = z.string().min(1).max(64)

/** Where a sentence stands: a path below the documents folder and its lines, counted from 1. */
export const Citation = z.object({
  file: z.string(),
  startLine: z.int().min(1),
  endLine: z.int().min(1),
})
export type Citation = z.infer<typeof Citation>

export const AskInput = z.object({
  question: z.string().trim().min(1, 'must not be empty').max(500),
  maxSentences: z.int().min(1).max(12).default(5),
  idempotencyKey: IdempotencyKey.optional().describe('without one, every call is a new job'),
  taskGrant: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe('a task grant that was opened for research: the work is paid for within it'),
})
export type AskInput = z.infer<typeof AskInput>

/** The answer: sentences quoted from documents, each with where it stands. */
export const Brief = z.object({
  jobId: JobId,
  question: z.string(),
  sentences: z.array(z.object({ text: z.string(), citation: Citation })),
  documentsSearched: z.int(),
  cost: Money,
  holdId: z.string(),
  askedAt: z.int(),
  completedAt: z.int(),
  calls: z.array(CallRecord).describe('the calls that research made to other agents'),
})
export type Brief = z.infer<typeof Brief>

export const ReceiptInput = z.object({ jobId: JobId })
export type ReceiptInput = z.infer<typeof ReceiptInput>

/** Evidence that a job was done, without its question or its answer. */
export const Receipt = z.object({
  jobId: JobId,
  holdId: z.string(),
  cost: Money,
  sentences: z.int(),
  documents: z.array(z.object({ file: z.string(), sha256: z.string() })),
  briefSha256: z.string().describe('of the sentences with their citations, as JSON'),
  completedAt: z.int(),
})
export type Receipt = z.infer<typeof Receipt>

export const ConversationsInput = z
  .object({
    limit: z.int().min(1).max(100).default(20),
    cursor: z.string().max(128).optional().describe('nextCursor of the page before'),
  })
  .prefault({})
export type ConversationsInput = z.infer<typeof ConversationsInput>

/** A research job as its asker sees it in a list. */
export const Conversation = z.object({
  jobId: JobId,
  question: z.string(),
  state: z.enum(['working', 'completed', 'failed']),
  reason: z.string().optional().describe('why it failed'),
  sentences: z.int(),
  askedAt: z.int(),
  completedAt: z.int().optional(),
})
export type Conversation = z.infer<typeof Conversation>

export const ConversationPage = z.object({
  conversations: z.array(Conversation),
  nextCursor: z.string().optional(),
})
export type ConversationPage = z.infer<typeof ConversationPage>

/** The port that the research agent implements. Refusals of its domain are thrown as `CallRefusal`. */
export type ResearchService = {
  ask(call: Call, input: AskInput): Promise<Brief>
  receipt(call: Call, input: ReceiptInput): Promise<Receipt>
  listConversations(call: Call, input: ConversationsInput): Promise<ConversationPage>
}

/** Why research turns a call down: `data.reason` beside the reasons that every agent has. */
export const RESEARCH_REASONS = [
  'billing_refused',
  'billing_unavailable',
  'cursor_invalid',
  'documents_unavailable',
  'idempotency_conflict',
  'job_in_progress',
  'no_answer_found',
  'receipt_unknown',
] as const
export type ResearchReason = (typeof RESEARCH_REASONS)[number]

/** Money is held at billing alone, which counts it: nothing here holds or spends any of the caller's. */
const BUDGET = ['budget'] as const

/** Creates the router over an implementation of the port. */
export function createResearchRouter(service: ResearchService) {
  return agentRouter({
    research: agentRouter({
      ask: scopedProcedure({ scopes: ['research:write'], limits: BUDGET })
        .input(AskInput)
        .output(Brief)
        .mutation(async ({ ctx, input }) => service.ask(toCall(ctx), input)),
      receipt: scopedProcedure({ scopes: ['research:read'], limits: BUDGET })
        .input(ReceiptInput)
        .output(Receipt)
        .query(async ({ ctx, input }) => service.receipt(toCall(ctx), input)),
    }),
    conversations: agentRouter({
      list: scopedProcedure({ scopes: ['conversations:read'], limits: BUDGET })
        .input(ConversationsInput)
        .output(ConversationPage)
        .query(async ({ ctx, input }) => service.listConversations(toCall(ctx), input)),
    }),
  })
}

/** What callers import, as a type. */
export type ResearchRouter = ReturnType<typeof createResearchRouter>
