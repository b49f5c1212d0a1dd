// The loop alone, without jobs or money: a question over a world's documents, with what was traced.
import type { TraceStep } from '@deputy/contracts/trace'
import type { Planner } from '../src/loop/agent-loop.ts'
import { answerQuestion, prepareQuestion } from '../src/loop/answer-question.ts'
import { DEFAULT_LIMITS, type LoopLimits } from '../src/loop/limits.ts'
import { openPlanner } from '../src/models/open-planner.ts'
import { createDocumentService } from '../src/tools/document-service.ts'
import { createJobTools } from '../src/tools/job-tools.ts'
import type { Recorder } from '../src/trace/recorder.ts'
import { openRecorder } from '../src/trace/recorder.ts'
import { openSilentReader } from './parse-in-process.ts'
import { ALICE, callBy, type ResearchWorld } from './research-world.ts'

export type AnswerInOptions = {
  /** Default: 5. */
  readonly maxSentences?: number
  readonly planner?: Planner
  readonly limits?: Partial<LoopLimits>
  readonly nowMs?: () => number
  readonly signal?: AbortSignal
}

/** A recorder that keeps the steps in memory. */
export function createMemoryRecorder(nowMs: () => number = () => 0) {
  const steps: TraceStep[] = []
  const recorder: Recorder = openRecorder({
    jobId: 'job-1',
    nowMs,
    onStep: (step) => void steps.push(step),
    traces: {
      append: async (_jobId, step) => ({ ...step, sequence: steps.length + 1 }),
      list: async () => steps,
      total: async () => new Map(),
    },
  })
  return { recorder, steps }
}

/** Answers from the world's documents, as the loop does, in at most so many sentences. */
export async function answerIn(
  world: { readonly storage: Pick<ResearchWorld['storage'], 'documents'> },
  question: string,
  options: AnswerInOptions = {},
) {
  const { maxSentences = 5, limits, nowMs = () => 0, planner = openPlanner(undefined) } = options
  const index = world.storage.documents
  const reader = openSilentReader(index)
  const { policies, tools } = createJobTools(
    callBy(ALICE),
    createDocumentService(index, reader),
    undefined,
  )
  const { recorder, steps } = createMemoryRecorder(nowMs)
  const prepared = await prepareQuestion(recorder, question, Object.keys(tools))
  const answer = await answerQuestion(
    {
      planner,
      limits: { ...DEFAULT_LIMITS, ...limits },
      tools,
      policies,
      reader,
      recorder,
      nowMs,
      signal: options.signal ?? new AbortController().signal,
      save: async () => undefined,
    },
    prepared,
    { maxSentences, from: undefined },
  )
  return { ...answer, steps }
}
