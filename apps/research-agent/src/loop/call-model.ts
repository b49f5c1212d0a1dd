// One step of the model: what it says, or which tools it wants called. It calls none itself.
import {
  APICallError,
  generateText,
  RetryError,
  type LanguageModel,
  type ModelMessage,
  type ToolSet,
} from 'ai'
import { refuseCall } from '../refusals.ts'
import type { ToolCall } from './check-tool-call.ts'
import { INSTRUCTIONS } from './prompt.ts'

/** A call that the model wants made. */
export type RequestedCall = ToolCall & { readonly toolCallId: string }

export type ModelTurn = {
  readonly text: string
  readonly calls: readonly RequestedCall[]
  readonly inputTokens: number
  readonly outputTokens: number
}

export type CallModelOptions = {
  readonly model: LanguageModel
  readonly tools: ToolSet
  readonly messages: readonly ModelMessage[]
  readonly maxOutputTokens: number
  readonly signal: AbortSignal
}

/** Calls the model. Throws `model_unavailable` when it cannot be had; what it costs is not known then. */
export async function callModel(options: CallModelOptions): Promise<ModelTurn> {
  const { maxOutputTokens, model, signal } = options
  try {
    const { text, toolCalls, usage } = await generateText({
      model,
      instructions: INSTRUCTIONS,
      messages: [...options.messages],
      tools: options.tools,
      maxOutputTokens,
      temperature: 0,
      abortSignal: signal,
    })
    return {
      text,
      calls: toolCalls.map((call) => ({
        toolCallId: call.toolCallId,
        tool: call.toolName,
        input: call.input,
        isInvalid: call.invalid === true,
      })),
      inputTokens: usage.inputTokens ?? 0,
      outputTokens: usage.outputTokens ?? 0,
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw refuseCall('model_unavailable', `The model did not answer (${describe(error)})`)
  }
}

/** The kind of error and its status. What a provider says may hold the request, or a key: it goes to nobody. */
function describe(error: unknown): string {
  const last = RetryError.isInstance(error) ? error.lastError : error
  if (APICallError.isInstance(last)) return `status ${String(last.statusCode ?? 'unknown')}`
  return last instanceof Error ? last.name : 'unknown error'
}
