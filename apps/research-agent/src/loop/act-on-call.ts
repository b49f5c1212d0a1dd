// One call that the model wants made: policy, then the tool, each a step of the trace.
import { QuoteAnswer } from '@deputy/contracts/documents'
import type { BriefNote } from '@deputy/contracts/research'
import type { ToolSet } from 'ai'
import type { Recorder } from '../trace/recorder.ts'
import type { RequestedCall } from './call-model.ts'
import { checkToolCall, REFUSAL_WORDS, toCallKey, type ToolPolicy } from './check-tool-call.ts'
import type { Claim } from './citation-mark.ts'
import type { ToolOutcome } from './messages.ts'
import { runTool, type ShownSentence } from './run-tool.ts'

export type ActOptions = {
  readonly tools: ToolSet
  readonly policies: ReadonlyMap<string, ToolPolicy>
  readonly recorder: Recorder
  readonly signal: AbortSignal
}

/** What a job remembers from call to call. */
export type Acting = {
  readonly calls: Map<string, Set<string>>
  /** What was quoted, as it stands: the answer, if the loop has to stop. */
  readonly quoted: Claim[]
  readonly notes: BriefNote[]
}

/** Longest name of a tool that a trace repeats: a model may make up anything. */
const MAX_NAME = 64

/** Acts on a call. What it answers is for the model. */
export async function actOnCall(
  { policies, recorder, signal, tools }: ActOptions,
  acting: Acting,
  call: RequestedCall,
): Promise<ToolOutcome> {
  const policy = policies.get(call.tool)
  const tool = policy?.procedure ?? call.tool.slice(0, MAX_NAME)
  const named = policy === undefined ? { tool } : { tool, scopes: [...policy.scopes] }
  const refusal = await recorder.run('policy', async (note) => {
    const found = checkToolCall(call, policies, acting.calls)
    note({ ...named, ...(found === undefined ? {} : { decision: 'refused', reason: found }) })
    return found
  })
  if (refusal !== undefined) return { ok: false, message: `${refusal}: ${REFUSAL_WORDS[refusal]}` }
  remember(acting, call)
  return recorder.run('tool', async (note) => {
    note(named)
    const { instructions, outcome, reason } = await runTool(tools, call, signal)
    if (reason !== undefined) note({ decision: 'refused', reason })
    if (instructions.length > 0) note({ detail: 'a document speaks to models: not obeyed' })
    addNotes(acting, instructions)
    if (outcome.ok && tool === 'documents.quote') addQuotes(acting, outcome.value)
    return outcome
  })
}

function remember({ calls }: Acting, { input, tool }: RequestedCall): void {
  const made = calls.get(tool) ?? new Set()
  calls.set(tool, made.add(toCallKey(input)))
}

function addNotes({ notes }: Acting, instructions: readonly ShownSentence[]): void {
  for (const { citation, text } of instructions) {
    const isKnown = notes.some(
      (note) => note.kind === 'instruction_in_document' && note.text === text,
    )
    if (!isKnown) notes.push({ kind: 'instruction_in_document', text, citation })
  }
}

function addQuotes({ quoted }: Acting, value: unknown): void {
  for (const { sentences, ...citation } of QuoteAnswer.parse(value).quotes) {
    quoted.push(...sentences.map((text) => ({ text, citations: [citation] })))
  }
}
