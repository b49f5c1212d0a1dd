// Where a loop is, between two of its steps: all that it needs to go on, in this process or the next one.
import { BriefNote, Citation } from '@deputy/contracts/research'
import { modelMessageSchema, type ModelMessage } from 'ai'
import * as z from 'zod'
import type { Acting } from './act-on-call.ts'
import type { ModelTurn } from './call-model.ts'

const Turn = z.object({
  text: z.string(),
  calls: z.array(
    z.object({
      toolCallId: z.string(),
      tool: z.string(),
      input: z.unknown(),
      isInvalid: z.boolean(),
    }),
  ),
  inputTokens: z.number(),
  outputTokens: z.number(),
})

const Saved = z.object({
  version: z.literal(1),
  messages: z.array(modelMessageSchema),
  turn: Turn.optional(),
  calls: z.array(z.tuple([z.string(), z.array(z.string())])),
  quoted: z.array(z.object({ text: z.string(), citations: z.array(Citation) })),
  notes: z.array(BriefNote),
  use: z.object({ steps: z.int(), tokens: z.number(), costMicros: z.number() }),
  last: z.object({ inputTokens: z.number(), estimate: z.number() }).optional(),
  backs: z.int(),
  elapsedMs: z.number().min(0),
})

export type LoopState = {
  readonly messages: ModelMessage[]
  /** What the model said last, while it is not acted on yet: it was paid for, and is not asked for again. */
  turn: ModelTurn | undefined
  readonly acting: Acting
  readonly use: { steps: number; tokens: number; costMicros: number }
  /** What the last step took in, and what it had been estimated at. */
  last: { readonly inputTokens: number; readonly estimate: number } | undefined
  /** How often an answer went back. */
  backs: number
  /** What earlier processes took for it. */
  readonly elapsedMs: number
}

/** The state in which a loop begins. */
export function beginLoop(prompt: string): LoopState {
  return {
    messages: [{ role: 'user', content: prompt }],
    turn: undefined,
    acting: { calls: new Map(), quoted: [], notes: [] },
    use: { steps: 0, tokens: 0, costMicros: 0 },
    last: undefined,
    backs: 0,
    elapsedMs: 0,
  }
}

/** Writes a state down, with the time that the loop has taken so far. */
export function formatLoop({ acting, ...state }: LoopState, elapsedMs: number): string {
  const { calls, notes, quoted } = acting
  const saved: z.input<typeof Saved> = {
    ...state,
    version: 1,
    turn: state.turn && { ...state.turn, calls: [...state.turn.calls] },
    calls: [...calls].map(([tool, inputs]) => [tool, [...inputs]]),
    quoted: quoted.map(({ citations, text }) => ({ text, citations: [...citations] })),
    notes,
    elapsedMs,
  }
  return JSON.stringify(saved)
}

/** Reads a state; `undefined` when it is none, or one that this version does not know: the loop begins again. */
export function parseLoop(text: string): LoopState | undefined {
  const { data } = Saved.safeParse(JSON.parse(text))
  if (data === undefined) return undefined
  const { calls, last, notes, quoted, turn, version: _version, ...state } = data
  const made = new Map(calls.map(([tool, inputs]) => [tool, new Set(inputs)]))
  return { ...state, last, turn, acting: { calls: made, quoted, notes } }
}
