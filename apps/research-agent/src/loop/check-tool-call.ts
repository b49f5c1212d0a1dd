// Whether the model's call of a tool is made. Pure. The server that is called decides again.
import type { ToolContract } from '@deputy/client/ai'

/** What policy knows of a tool. */
export type ToolPolicy = ToolContract & {
  /** Calls in one job. */
  readonly maxCalls: number
}

export type ToolCallRefusal =
  | 'tool_not_available'
  | 'tool_input_invalid'
  | 'tool_needs_approval'
  | 'tool_budget_spent'
  | 'tool_call_repeated'

export type ToolCall = {
  readonly tool: string
  readonly input: unknown
  readonly isInvalid: boolean
}

/** The calls that a job has made, by tool and input. */
export type CallsMade = ReadonlyMap<string, ReadonlySet<string>>

/** Decides on a call: `undefined` lets it pass. The order is that of an agent's own checks. */
export function checkToolCall(
  { input, isInvalid, tool }: ToolCall,
  policies: ReadonlyMap<string, ToolPolicy>,
  made: CallsMade,
): ToolCallRefusal | undefined {
  const policy = policies.get(tool)
  if (policy === undefined) return 'tool_not_available'
  // A model changes nothing by itself: that needs somebody's approval, which it cannot give.
  if (policy.type === 'mutation' || policy.approval) return 'tool_needs_approval'
  if (isInvalid) return 'tool_input_invalid'
  const before = made.get(tool)
  if (before === undefined) return undefined
  if (before.has(toCallKey(input))) return 'tool_call_repeated'
  return before.size >= policy.maxCalls ? 'tool_budget_spent' : undefined
}

/** What makes two calls of a tool the same. */
export function toCallKey(input: unknown): string {
  return JSON.stringify(input)
}

/** What the model is told. */
export const REFUSAL_WORDS: Record<ToolCallRefusal, string> = {
  tool_not_available: 'There is no such tool for this caller.',
  tool_input_invalid: 'The input does not fit the schema of the tool.',
  tool_needs_approval: 'This would change something, and needs the approval of a person.',
  tool_budget_spent: 'This tool was called often enough: answer with what you have.',
  tool_call_repeated: 'The same call was made before: its answer is above.',
}
