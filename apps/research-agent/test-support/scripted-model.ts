// The SDK's mock model, following a script: a step for each time it is asked, the last one for ever.
import type { LanguageModelV4CallOptions, LanguageModelV4GenerateResult } from '@ai-sdk/provider'
import { MockLanguageModelV4 } from 'ai/test'
import type { Planner } from '../src/loop/agent-loop.ts'

/** What the model does in a step: says something, or wants tools called. */
export type ScriptedStep =
  | string
  | { readonly tool: string; readonly input: object }
  | ((prompt: string) => ScriptedStep)

const toUsage = (inputTokens: number) => ({
  inputTokens: { total: inputTokens, noCache: inputTokens, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 20, text: 20, reasoning: 0 },
})

/** A planner with a model that follows the script, and everything that it was shown. */
export function createScriptedPlanner(
  steps: readonly ScriptedStep[],
  price: Planner['price'] = { input: 0, output: 0 },
  inputTokens = 100,
) {
  const prompts: string[] = []
  const toolNames: string[][] = []
  const model = new MockLanguageModelV4({
    doGenerate: async (options) => {
      const prompt = JSON.stringify(options.prompt)
      prompts.push(prompt)
      toolNames.push((options.tools ?? []).map(({ name }) => name))
      const step = steps[Math.min(prompts.length, steps.length) - 1] ?? ''
      return { ...toResult(step, prompt, prompts.length), usage: toUsage(inputTokens) }
    },
  })
  const planner: Planner = { model, label: 'test/scripted', countsTokens: true, price }
  return {
    planner,
    /** Everything that the model was sent, each time it was asked. */
    prompts,
    /** The tools that it was shown, each time. */
    toolNames,
    calls: (): readonly LanguageModelV4CallOptions[] => model.doGenerateCalls,
  }
}

function toResult(
  step: ScriptedStep,
  prompt: string,
  turn: number,
): Omit<LanguageModelV4GenerateResult, 'usage'> {
  if (typeof step === 'function') return toResult(step(prompt), prompt, turn)
  const common = { warnings: [] }
  if (typeof step === 'string') {
    const finishReason = { unified: 'stop', raw: undefined } as const
    return { ...common, content: [{ type: 'text', text: step }], finishReason }
  }
  const { input, tool } = step
  return {
    ...common,
    content: [
      {
        type: 'tool-call',
        toolCallId: `call-${String(turn)}`,
        toolName: tool,
        input: JSON.stringify(input),
      },
    ],
    finishReason: { unified: 'tool-calls', raw: undefined },
  }
}
