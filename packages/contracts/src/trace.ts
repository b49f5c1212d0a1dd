// What an agent did for a job, step by step, as its asker may read it afterwards. No token, secret or id of
// a token is ever in it.
import * as z from 'zod'

/** The steps of the loop, in the order in which a job first comes to them; `resume` where it was taken up again. */
export const STEP_KINDS = [
  'intent',
  'classify',
  'plan',
  'billing',
  'model',
  'policy',
  'tool',
  'verify',
  'outcome',
  'resume',
] as const
export type StepKind = (typeof STEP_KINDS)[number]

/** `interrupted`: nobody works on it, and it goes on where it was when its asker asks for it again in time. */
export const JOB_STATES = ['working', 'interrupted', 'completed', 'failed'] as const

export const TraceStep = z.object({
  sequence: z.int().min(1),
  kind: z.enum(STEP_KINDS),
  offsetMs: z.number().min(0).describe('from the start of the job'),
  durationMs: z.number().min(0),
  decision: z
    .enum(['pass', 'back', 'refused', 'stopped'])
    .describe('`back`: to the model, with the reason; `stopped`: a bound was reached'),
  reason: z.string().optional(),
  detail: z.string().optional().describe('what was found, in a sentence'),
  tool: z.string().optional(),
  scopes: z.array(z.string()).optional().describe('what the tool needs'),
  inputTokens: z.int().min(0).optional(),
  outputTokens: z.int().min(0).optional(),
  costMicros: z.int().min(0).optional().describe('of the model, in millionths of a US dollar'),
})
export type TraceStep = z.infer<typeof TraceStep>

/** A job's steps so far, and what they come to. */
export const Trace = z.object({
  jobId: z.string(),
  question: z.string(),
  state: z.enum(JOB_STATES),
  reason: z.string().optional().describe('why it failed'),
  answeredBy: z.string(),
  askedAt: z.int(),
  steps: z.array(TraceStep),
  totals: z.object({
    durationMs: z.number(),
    modelCalls: z.int(),
    toolCalls: z.int(),
    refused: z.int().describe('calls of tools that policy or a server refused'),
    inputTokens: z.int(),
    outputTokens: z.int(),
    costMicros: z.int(),
  }),
})
export type Trace = z.infer<typeof Trace>
