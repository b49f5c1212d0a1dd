// What the research agent promises: cited briefs over real documents. Every caller sees its own jobs only.
import { agentRouter, createAgentContract, scopedProcedure } from '@deputy/auth/trpc'
import { tracked } from '@trpc/server'
import * as z from 'zod'
import { CallRecord, toCall, type Call } from './call.ts'
import { IdempotencyKey } from './idempotency-key.ts'
import { Money } from './money.ts'
import { JOB_STATES, Trace, TraceStep } from './trace.ts'

/** The research agent's id: the audience of tokens for it. */
export const RESEARCH_AGENT_ID = 'agent-research-v1'

const JobId = z.string().min(1).max(64)

/** Where a sentence stands: a path below the documents folder and its lines, counted from 1. */
export const Citation = z.object({
  file: z.string(),
  page: z.int().min(1).optional().describe('of a PDF: the lines are counted on that page'),
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

export const AskStreamInput = AskInput.extend({
  lastEventId: z
    .string()
    .max(128)
    .optional()
    .describe('the id of the last event that arrived: goes on after it, and begins nothing'),
})
export type AskStreamInput = z.infer<typeof AskStreamInput>

/** Why the verifier dropped a sentence of an answer. */
export const DROP_REASONS = [
  'citation_missing',
  'document_unknown',
  'lines_unknown',
  'range_too_wide',
  'not_supported',
] as const

/** A sentence that was in the answer and is not in the brief. */
export const DroppedSentence = z.object({
  text: z.string(),
  citation: Citation.optional(),
  reason: z.enum(DROP_REASONS),
})
export type DroppedSentence = z.infer<typeof DroppedSentence>

/** Something that whoever reads a brief should know of how it came about. */
export const BriefNote = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('instruction_in_document'),
    text: z.string().describe('what the document says to whoever works with it: it was not obeyed'),
    citation: Citation,
  }),
  z.object({ kind: z.literal('stopped_early'), reason: z.string().describe('the bound') }),
])
export type BriefNote = z.infer<typeof BriefNote>

/** The answer: sentences that documents support, each with where they do. */
export const Brief = z.object({
  jobId: JobId,
  question: z.string(),
  sentences: z.array(z.object({ text: z.string(), citation: Citation })),
  dropped: z.array(DroppedSentence).default([]).describe('what the verifier took out, and why'),
  notes: z.array(BriefNote).default([]),
  answeredBy: z.string().default('rules').describe('`rules`, or the provider and name of a model'),
  documentsSearched: z.int(),
  cost: Money,
  holdId: z.string(),
  askedAt: z.int(),
  completedAt: z.int(),
  calls: z.array(CallRecord).describe('the calls that research made to other agents'),
})
export type Brief = z.infer<typeof Brief>

/** What `research.ask` sends: each step as it ends, and the brief as the last event. */
export const AskEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('step'), jobId: JobId, step: TraceStep }),
  z.object({ type: z.literal('brief'), jobId: JobId, brief: Brief }),
])
export type AskEvent = z.infer<typeof AskEvent>

/** An event with the id that a caller resumes after. */
export type AskEventWithId = { readonly id: string; readonly event: AskEvent }

export const TraceInput = z.object({ jobId: JobId })
export type TraceInput = z.infer<typeof TraceInput>

export const ReceiptInput = z.object({
  jobId: JobId,
  holdId: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe(
      'the hold that paid for it: who names the right one was paid, and need not have asked',
    ),
})
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

const Page = z.object({
  limit: z.int().min(1).max(100).default(20),
  cursor: z.string().max(128).optional().describe('nextCursor of the page before'),
})

export const JobsInput = Page.extend({
  state: z.enum(JOB_STATES).optional().describe('without one, jobs in any state'),
}).prefault({})
export type JobsInput = z.infer<typeof JobsInput>

/** A piece of work as its asker sees it: how far it is, and what it took. */
export const JobSummary = z.object({
  jobId: JobId,
  state: z.enum(JOB_STATES),
  reason: z.string().optional().describe('why it failed'),
  answeredBy: z.string(),
  steps: z.int().describe('traced so far'),
  inputTokens: z.int(),
  outputTokens: z.int(),
  cost: Money.optional().describe('what it was paid for with'),
  askedAt: z.int(),
  completedAt: z.int().optional(),
})
export type JobSummary = z.infer<typeof JobSummary>

export const JobPage = z.object({ jobs: z.array(JobSummary), nextCursor: z.string().optional() })
export type JobPage = z.infer<typeof JobPage>

export const ConversationsInput = Page.prefault({})
export type ConversationsInput = z.infer<typeof ConversationsInput>

export const ConversationInput = z.object({ jobId: JobId })
export type ConversationInput = z.infer<typeof ConversationInput>

/** A question as its asker sees it in a list. */
export const Conversation = z.object({
  jobId: JobId,
  question: z.string(),
  state: z.enum(JOB_STATES),
  reason: z.string().optional().describe('why it failed'),
  sentences: z.int(),
  askedAt: z.int(),
  completedAt: z.int().optional(),
})
export type Conversation = z.infer<typeof Conversation>

/** A question with its answer, where there is one. */
export const FullConversation = Conversation.extend({ brief: Brief.optional() })
export type FullConversation = z.infer<typeof FullConversation>

export const ConversationPage = z.object({
  conversations: z.array(Conversation),
  nextCursor: z.string().optional(),
})
export type ConversationPage = z.infer<typeof ConversationPage>

/** The port that the research agent implements. Refusals of its domain are thrown as `CallRefusal`. */
export type ResearchService = {
  ask(call: Call, input: AskStreamInput): AsyncIterable<AskEventWithId>
  answer(call: Call, input: AskInput): Promise<Brief>
  listJobs(call: Call, input: JobsInput): Promise<JobPage>
  receipt(call: Call, input: ReceiptInput): Promise<Receipt>
  trace(call: Call, input: TraceInput): Promise<Trace>
  listConversations(call: Call, input: ConversationsInput): Promise<ConversationPage>
  getConversation(call: Call, input: ConversationInput): Promise<FullConversation>
}

/** Why research turns a call down: `data.reason` beside the reasons that every agent has. */
export const RESEARCH_REASONS = [
  'billing_refused',
  'billing_unavailable',
  'cursor_invalid',
  'documents_unavailable',
  'idempotency_conflict',
  'interrupted',
  'job_failed',
  'job_in_progress',
  'job_unknown',
  'limits_reached',
  'model_unavailable',
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
        .input(AskStreamInput)
        .subscription(async function* ask({ ctx, input }) {
          for await (const { event, id } of service.ask(toCall(ctx), input))
            yield tracked(id, event)
        }),
      answer: scopedProcedure({ scopes: ['research:write'], limits: BUDGET })
        .input(AskInput)
        .output(Brief)
        .mutation(async ({ ctx, input }) => service.answer(toCall(ctx), input)),
      jobs: scopedProcedure({ scopes: ['research:read'], limits: BUDGET })
        .input(JobsInput)
        .output(JobPage)
        .query(async ({ ctx, input }) => service.listJobs(toCall(ctx), input)),
      receipt: scopedProcedure({ scopes: ['research:read'], limits: BUDGET })
        .input(ReceiptInput)
        .output(Receipt)
        .query(async ({ ctx, input }) => service.receipt(toCall(ctx), input)),
      trace: scopedProcedure({ scopes: ['research:read'], limits: BUDGET })
        .input(TraceInput)
        .output(Trace)
        .query(async ({ ctx, input }) => service.trace(toCall(ctx), input)),
    }),
    conversations: agentRouter({
      list: scopedProcedure({ scopes: ['conversations:read'], limits: BUDGET })
        .input(ConversationsInput)
        .output(ConversationPage)
        .query(async ({ ctx, input }) => service.listConversations(toCall(ctx), input)),
      get: scopedProcedure({ scopes: ['conversations:read'], limits: BUDGET })
        .input(ConversationInput)
        .output(FullConversation)
        .query(async ({ ctx, input }) => service.getConversation(toCall(ctx), input)),
    }),
  })
}

/** What callers import, as a type. */
export type ResearchRouter = ReturnType<typeof createResearchRouter>

/** The contract as a value: who research is, and what each procedure needs. */
export const research = createAgentContract(RESEARCH_AGENT_ID, createResearchRouter)
