// Which model drives the loop: one behind an OpenAI-compatible URL where one is configured, rules otherwise.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import type { Planner } from '../loop/agent-loop.ts'
import { fetchModel } from './fetch-model.ts'
import { createRulesModel, RULES_LABEL } from './rules-model.ts'

export type ModelSettings = {
  /** Base of the API, like `http://127.0.0.1:11434/v1`. */
  readonly url: string
  readonly name: string
  readonly apiKey?: string | undefined
  /** US dollars for a million tokens. Default: 0, for a model of one's own. */
  readonly inputPrice?: number | undefined
  readonly outputPrice?: number | undefined
}

/** What nobody asks about. */
const UNSAID = {
  noCache: undefined,
  cacheRead: undefined,
  cacheWrite: undefined,
  text: undefined,
  reasoning: undefined,
}

/** No step takes nothing, or less: who says so does not count. */
function toCount(tokens: number | null | undefined): number | undefined {
  return Number.isSafeInteger(tokens) && Number(tokens) > 0 ? Number(tokens) : undefined
}

/** Opens the planner. Nothing is sent before the first question. */
export function openPlanner(settings: ModelSettings | undefined): Planner {
  if (settings === undefined) {
    return {
      model: createRulesModel(),
      label: RULES_LABEL,
      countsTokens: false,
      price: { input: 0, output: 0 },
    }
  }
  const { apiKey, inputPrice = 0, name, outputPrice = 0, url } = settings
  const provider = createOpenAICompatible({
    name: 'openai-compatible',
    baseURL: url,
    ...(apiKey === undefined ? {} : { apiKey }),
    fetch: fetchModel,
    convertUsage: (usage) => ({
      inputTokens: { ...UNSAID, total: toCount(usage?.prompt_tokens) },
      outputTokens: { ...UNSAID, total: toCount(usage?.completion_tokens) },
    }),
  })
  return {
    model: provider(name),
    label: `openai-compatible/${name}`,
    countsTokens: true,
    price: { input: inputPrice, output: outputPrice },
  }
}
