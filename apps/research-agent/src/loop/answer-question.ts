// From a question to sentences that are supported: intent → classify → plan → loop → verified answer.
import type { DocumentReader } from '../documents/document-reader.ts'
import type { Recorder } from '../trace/recorder.ts'
import { runAgentLoop, type LoopAnswer, type LoopTask, type Planner } from './agent-loop.ts'
import type { ToolSet } from 'ai'
import type { ToolPolicy } from './check-tool-call.ts'
import { classifyQuestion } from './classify-question.ts'
import type { LoopLimits } from './limits.ts'
import { parseIntent } from './parse-intent.ts'
import { makePlan, type Plan } from './plan.ts'
import { formatTask } from './prompt.ts'

export type Prepared = { readonly question: string; readonly plan: Plan }

/** Reads the question and decides what to begin with. */
export async function prepareQuestion(
  recorder: Recorder,
  asked: string,
  available: readonly string[],
): Promise<Prepared> {
  const { question } = await recorder.run('intent', async (note) => {
    const intent = parseIntent(asked)
    if (intent.isRedacted) note({ detail: 'something like a secret was taken out' })
    return intent
  })
  const classified = await recorder.run('classify', async (note) => {
    const found = classifyQuestion(question)
    note({ detail: `${found.kind}: ${found.terms.map(({ word }) => word).join(', ')}` })
    return found
  })
  const plan = await recorder.run('plan', async (note) => {
    const made = makePlan(question, classified, available)
    note({ detail: `${String(made.searches.length)} searches; tools: ${made.tools.join(', ')}` })
    return made
  })
  return { question, plan }
}

export type AnswerDeps = {
  readonly planner: Planner
  readonly limits: LoopLimits
  readonly tools: ToolSet
  readonly policies: ReadonlyMap<string, ToolPolicy>
  readonly reader: DocumentReader
  readonly recorder: Recorder
  readonly nowMs: () => number
  readonly signal: AbortSignal
  readonly save: (state: string) => Promise<void>
}

/** Runs the loop with the tools of the plan. Throws as `runAgentLoop` does. */
export async function answerQuestion(
  deps: AnswerDeps,
  { plan, question }: Prepared,
  { from, maxSentences }: Omit<LoopTask, 'prompt'>,
): Promise<LoopAnswer> {
  const tools = Object.fromEntries(
    plan.tools.flatMap((name) => {
      const tool = deps.tools[name]
      return tool === undefined ? [] : [[name, tool]]
    }),
  )
  const policies = new Map([...deps.policies].filter(([name]) => plan.tools.includes(name)))
  const prompt = formatTask(question, maxSentences, plan)
  return runAgentLoop({ ...deps, tools, policies }, { prompt, maxSentences, from })
}
