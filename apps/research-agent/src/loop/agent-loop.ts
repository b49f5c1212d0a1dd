// The loop: model → policy → tools → model … → verifier → guard, which lets the answer pass or sends it back.
// It ends by itself, or at a bound, then with what was quoted by then.
import type { BriefNote } from '@deputy/contracts/research'
import type { LanguageModel, ToolSet } from 'ai'
import type { DocumentReader } from '../documents/document-reader.ts'
import { refuseCall } from '../refusals.ts'
import type { Recorder } from '../trace/recorder.ts'
import { recordVerdict } from '../trace/step-metrics.ts'
import { actOnCall, type Acting } from './act-on-call.ts'
import { callModel, type ModelTurn } from './call-model.ts'
import type { ToolPolicy } from './check-tool-call.ts'
import { parseAnswer, type Claim } from './citation-mark.ts'
import { guardAnswer } from './guard-answer.ts'
import { findBound, findOutputLeft, type Bound, type LoopLimits } from './limits.ts'
import { beginLoop, formatLoop, type LoopState } from './loop-state.ts'
import { toAssistantMessage, toToolMessage } from './messages.ts'
import { NO_ANSWER } from './prompt.ts'
import { estimateRequest } from './token-estimate.ts'
import { verifyAnswer, type VerifiedAnswer } from './verify-answer.ts'

/** What drives the loop: a model, or rules. */
export type Planner = {
  readonly model: LanguageModel
  /** `rules`, or the provider and name of the model: what briefs and traces call it. */
  readonly label: string
  /** Whether it takes in tokens: rules do not. */
  readonly countsTokens: boolean
  /** In millionths of a US dollar a token, which is dollars a million tokens. */
  readonly price: { readonly input: number; readonly output: number }
}

export type LoopOptions = {
  readonly planner: Planner
  /** What the model is shown, each with what policy knows of it. */
  readonly tools: ToolSet
  readonly policies: ReadonlyMap<string, ToolPolicy>
  readonly reader: DocumentReader
  readonly recorder: Recorder
  readonly limits: LoopLimits
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs: () => number
  /** Aborted: the job is over, with the signal's reason. */
  readonly signal: AbortSignal
  /** Keeps where the loop is, after each of its steps. */
  readonly save: (state: string) => Promise<void>
}

export type LoopTask = {
  readonly prompt: string
  readonly maxSentences: number
  /** Where it was when it was interrupted. */
  readonly from: LoopState | undefined
}

export type LoopAnswer = VerifiedAnswer & { readonly notes: readonly BriefNote[] }

/** Runs the loop. Throws `model_unavailable`, `limits_reached` when a bound ends it with nothing, or the signal's reason. */
export async function runAgentLoop(options: LoopOptions, task: LoopTask): Promise<LoopAnswer> {
  const { limits, nowMs } = options
  const state = task.from ?? beginLoop(task.prompt)
  const startedMs = nowMs() - state.elapsedMs
  const save = async (): Promise<void> => options.save(formatLoop(state, nowMs() - startedMs))

  for (;;) {
    options.signal.throwIfAborted()
    if (state.turn === undefined) {
      const bound = await takeTurn(options, state, nowMs() - startedMs)
      if (bound !== undefined) return endAtBound(options, task, { bound, acting: state.acting })
      await save()
    }
    const { turn } = state
    if (turn === undefined) continue
    const answer = await actOnTurn(options, task, { state, turn, limits })
    if (answer !== undefined) return { ...answer, notes: state.acting.notes }
    state.turn = undefined
    await save()
  }
}

/** Asks the model, unless a bound is reached: what the step takes in is known before it is paid for. */
async function takeTurn(
  { limits, planner, recorder, signal, tools }: LoopOptions,
  state: LoopState,
  elapsedMs: number,
): Promise<Bound | undefined> {
  const { messages, use } = state
  const { price } = planner
  const estimate = await estimateRequest(messages, tools)
  const nextInput = planner.countsTokens ? nextInputOf(estimate, state.last) : 0
  const next = {
    steps: use.steps,
    tokens: use.tokens + nextInput,
    costMicros: use.costMicros + nextInput * price.input,
    elapsedMs,
  }
  const bound = findBound(next, limits)
  if (bound !== undefined) return bound
  const turn = await recorder.run('model', async (note) => {
    note({ detail: planner.label })
    const answer = await callModel({
      model: planner.model,
      tools: shown(tools),
      messages,
      maxOutputTokens: findOutputLeft(next, limits, price.output),
      estimate,
      signal,
      timeoutMs: Math.min(limits.maxModelSeconds, limits.maxSeconds) * 1000,
    })
    const { inputTokens, outputTokens } = answer
    const costMicros = Math.ceil(inputTokens * price.input + outputTokens * price.output)
    note({ inputTokens, outputTokens, costMicros })
    state.last = { inputTokens, estimate }
    use.steps += 1
    use.tokens += inputTokens + outputTokens
    use.costMicros += costMicros
    return answer
  })
  messages.push(toAssistantMessage(turn))
  state.turn = turn
  return undefined
}

/** Makes the calls that the model wants, or checks its answer, which is the loop's when it passes. */
async function actOnTurn(
  options: LoopOptions,
  task: LoopTask,
  {
    limits,
    state,
    turn,
  }: { readonly state: LoopState; readonly turn: ModelTurn; readonly limits: LoopLimits },
): Promise<VerifiedAnswer | undefined> {
  const { acting, messages } = state
  if (turn.calls.length > 0) {
    const results = []
    for (const call of turn.calls) {
      results.push({ call, outcome: await actOnCall(options, acting, call) })
    }
    messages.push(toToolMessage(results))
    return undefined
  }
  const claims = turn.text.trim() === NO_ANSWER ? [] : parseAnswer(turn.text)
  const backsLeft = limits.maxBacks - state.backs
  const { guard, verified } = await verify(options, task, { claims, backsLeft })
  if (guard.decision === 'pass') return verified
  state.backs += 1
  messages.push({ role: 'user', content: guard.message })
  return undefined
}

/** What the next step will take in: as much as the last one, and what has come since. */
function nextInputOf(estimate: number, last: LoopState['last']): number {
  return last === undefined ? estimate : last.inputTokens + Math.max(0, estimate - last.estimate)
}

/** The model is shown tools that it cannot run: each call comes back here first. */
function shown(tools: ToolSet): ToolSet {
  return Object.fromEntries(
    Object.entries(tools).map(([name, { description, inputSchema }]) => [
      name,
      { inputSchema, ...(description === undefined ? {} : { description }) },
    ]),
  )
}

async function verify(
  { reader, recorder }: LoopOptions,
  { maxSentences }: LoopTask,
  { backsLeft, claims }: { readonly claims: readonly Claim[]; readonly backsLeft: number },
) {
  return recorder.run('verify', async (note) => {
    const verified = await verifyAnswer(reader, claims, maxSentences)
    const guard = guardAnswer(verified, backsLeft)
    recordVerdict(verified)
    const { dropped, sentences } = verified
    const reasons = [...new Set(dropped.map(({ reason }) => reason))].join(', ')
    note({
      decision: guard.decision,
      detail: `${String(sentences.length)} supported, ${String(dropped.length)} dropped`,
      ...(reasons === '' ? {} : { reason: reasons }),
    })
    return { verified, guard }
  })
}

/** Ends with what the model had quoted when it had to stop. */
async function endAtBound(
  options: LoopOptions,
  task: LoopTask,
  { acting, bound }: { readonly bound: Bound; readonly acting: Acting },
): Promise<LoopAnswer> {
  await options.recorder.run('policy', async (note) => {
    note({ decision: 'stopped', reason: bound })
  })
  const { verified } = await verify(options, task, { claims: acting.quoted, backsLeft: 0 })
  if (verified.sentences.length === 0) {
    throw refuseCall('limits_reached', `The work was stopped (${bound}) before anything was quoted`)
  }
  return { ...verified, notes: [...acting.notes, { kind: 'stopped_early', reason: bound }] }
}
