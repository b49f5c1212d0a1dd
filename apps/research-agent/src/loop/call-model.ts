// One step of the model: what it says, or which tools it wants called. It calls none itself.
import { redactSecrets } from '@deputy/client/ai'
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
import { estimateTokens } from './token-estimate.ts'

/** Calls that a model may want in one step; later ones are not looked at. */
const MAX_CALLS_AT_ONCE = 16

/** How often a provider that is busy, or failing, is asked again. */
const MAX_RETRIES = 2

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
  /** Tokens that the request is taken to have, where its provider does not count them. */
  readonly estimate: number
  readonly signal: AbortSignal
  /** How long one answer may take, with what is asked again. */
  readonly timeoutMs: number
}

/**
 * Calls the model. A provider that does not say how many tokens it took is taken to have taken what they are
 * estimated at: bounds hold for it too. Throws `model_unavailable` when it cannot be had; what that costs is not
 * known.
 */
export async function callModel(options: CallModelOptions): Promise<ModelTurn> {
  const { maxOutputTokens, model, signal, timeoutMs } = options
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const {
      reasoningText = '',
      text,
      toolCalls,
      usage,
    } = await generateText({
      model,
      instructions: INSTRUCTIONS,
      messages: [...options.messages],
      tools: options.tools,
      maxOutputTokens,
      temperature: 0,
      maxRetries: MAX_RETRIES,
      abortSignal: AbortSignal.any([signal, timeout]),
    })
    return {
      // Of a secret that it knows from elsewhere, or puts together, nothing goes on from here.
      text: redactSecrets(text),
      calls: toolCalls.slice(0, MAX_CALLS_AT_ONCE).map((call) => ({
        toolCallId: call.toolCallId,
        tool: call.toolName,
        input: call.input,
        isInvalid: call.invalid === true,
      })),
      inputTokens: usage.inputTokens ?? options.estimate,
      outputTokens:
        usage.outputTokens ??
        estimateTokens(
          reasoningText +
            text +
            JSON.stringify(toolCalls.map(({ input, toolName }) => [toolName, input])),
        ),
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    const why = timeout.aborted
      ? `not within ${String(Math.ceil(timeoutMs / 1000))} seconds`
      : describe(error)
    throw refuseCall('model_unavailable', `The model did not answer (${why})`)
  }
}

/** The kind of error and its status. What a provider says may hold the request, or a key: it goes to nobody. */
function describe(error: unknown): string {
  const last = RetryError.isInstance(error) ? error.lastError : error
  if (APICallError.isInstance(last)) return `status ${String(last.statusCode ?? 'unknown')}`
  return last instanceof Error ? last.name : 'unknown error'
}
