// The messages of the loop, as the AI SDK has them.
import type { AssistantModelMessage, JSONValue, ToolModelMessage, ToolResultPart } from 'ai'
import type { ModelTurn, RequestedCall } from './call-model.ts'

/** What came of a call: the tool's answer, or why there is none. */
export type ToolOutcome =
  | { readonly ok: true; readonly value: JSONValue }
  | { readonly ok: false; readonly message: string }

/** What the model said and asked for. */
export function toAssistantMessage({ calls, text }: ModelTurn): AssistantModelMessage {
  return {
    role: 'assistant',
    content: [
      ...(text === '' ? [] : [{ type: 'text' as const, text }]),
      ...calls.map(({ input, tool, toolCallId }) => ({
        type: 'tool-call' as const,
        toolCallId,
        toolName: tool,
        input: typeof input === 'object' && input !== null ? input : {},
      })),
    ],
  }
}

/** The answers to its calls, in order. */
export function toToolMessage(
  results: readonly { readonly call: RequestedCall; readonly outcome: ToolOutcome }[],
): ToolModelMessage {
  return { role: 'tool', content: results.map(toPart) }
}

function toPart({
  call,
  outcome,
}: {
  readonly call: RequestedCall
  readonly outcome: ToolOutcome
}): ToolResultPart {
  return {
    type: 'tool-result',
    toolCallId: call.toolCallId,
    toolName: call.tool,
    output: outcome.ok
      ? { type: 'json', value: outcome.value }
      : { type: 'error-text', value: outcome.message },
  }
}
