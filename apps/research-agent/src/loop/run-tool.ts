// Makes a call that policy let pass, and turns what comes back into what a model may read.
import { redactSecrets, ToolError } from '@deputy/client/ai'
import { Citation } from '@deputy/contracts/research'
import type { JSONValue, ToolSet } from 'ai'
import * as z from 'zod'
import { speaksToModels } from './find-instructions.ts'
import type { RequestedCall } from './call-model.ts'
import type { ToolOutcome } from './messages.ts'
import { withoutUnseen } from './plain-text.ts'

/** Longest answer of a tool that a model is shown, in characters of its JSON. */
const MAX_CHARACTERS = 24_000

/** A sentence of a tool's answer, with where it stands. */
export type ShownSentence = { readonly text: string; readonly citation: Citation }

export type ToolRun = {
  readonly outcome: ToolOutcome
  /** The `ToolError`'s code, when it failed. */
  readonly reason: string | undefined
  /** What it showed of documents that reads like an instruction. */
  readonly instructions: readonly ShownSentence[]
}

/** Runs a tool. Rejects only when the job is over (`signal`), or on a bug. */
export async function runTool(
  tools: ToolSet,
  { input, tool, toolCallId }: RequestedCall,
  signal: AbortSignal,
): Promise<ToolRun> {
  const execute = tools[tool]?.execute
  if (execute === undefined) throw new TypeError(`the tool ${tool} cannot be run`)
  try {
    const answer: unknown = await execute(input, {
      toolCallId,
      messages: [],
      abortSignal: signal,
      context: {},
    })
    const text = JSON.stringify(answer, toShown)
    if (text.length > MAX_CHARACTERS) {
      const message = 'The answer is too long to be shown: ask for less.'
      return { outcome: { ok: false, message }, reason: 'answer_too_long', instructions: [] }
    }
    const value = Json.parse(JSON.parse(text))
    return {
      outcome: { ok: true, value },
      reason: undefined,
      instructions: findInstructions(value),
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (!(error instanceof ToolError)) throw error
    const { code, message } = error
    return { outcome: { ok: false, message }, reason: code, instructions: [] }
  }
}

/** A text as a model may read it. Of JSON as a whole the escapes would belong to the words: `\t` before a secret hides it. */
function toShown(_: string, value: unknown): unknown {
  return typeof value === 'string' ? redactSecrets(withoutUnseen(value)) : value
}

const Json: z.ZodType<JSONValue> = z.json()

const Shown = z.union([
  z.object({ results: z.array(Citation.extend({ text: z.string() })) }),
  z.object({ quotes: z.array(Citation.extend({ sentences: z.array(z.string()) })) }),
  Citation.extend({ lines: z.array(z.object({ line: z.int(), text: z.string() })) }),
])

function findInstructions(value: JSONValue): readonly ShownSentence[] {
  return readShown(value).filter(({ text }) => speaksToModels(text))
}

/** The sentences or lines that an answer of the document tools shows; none for another tool's. */
function readShown(value: JSONValue): readonly ShownSentence[] {
  const { data } = Shown.safeParse(value)
  if (data === undefined) return []
  if ('results' in data) {
    return data.results.map(({ text, ...citation }) => ({
      text,
      citation: Citation.parse(citation),
    }))
  }
  if ('quotes' in data) {
    return data.quotes.flatMap(({ sentences, ...citation }) =>
      sentences.map((text) => ({ text, citation })),
    )
  }
  const { lines, ...citation } = data
  return lines.map(({ line, text }) => ({
    text,
    citation: { ...citation, startLine: line, endLine: line },
  }))
}
