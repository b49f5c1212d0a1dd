// Metrics of each step by OpenTelemetry's API: how many there were and how long they took, by what was decided and why;
// tokens and money. Labels come from lists that are known beforehand: a model cannot make up new ones.
import type { DroppedSentence } from '@deputy/contracts/research'
import type { TraceStep } from '@deputy/contracts/trace'
import { createInstruments } from '@deputy/serve/telemetry'

export const METER_NAME = '@deputy/research-agent'

/** Seconds: most steps take milliseconds, a model takes seconds. */
const BOUNDS = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120]

/** What a tool is called that is none of the caller's: its name is whatever the model wrote. */
const UNKNOWN_TOOL = 'unknown'

const instruments = createInstruments(METER_NAME, (meter) => ({
  duration: meter.createHistogram('research.step.duration', {
    unit: 's',
    description: 'Duration of the steps of jobs',
    advice: { explicitBucketBoundaries: BOUNDS },
  }),
  refusals: meter.createCounter('research.step.refusals', {
    description: 'Steps that did not pass, by reason',
  }),
  tokens: meter.createCounter('research.model.tokens', {
    description: 'Tokens of the model, in and out',
  }),
  cost: meter.createCounter('research.model.cost', {
    description: 'Money for the model, in millionths of a US dollar',
  }),
  sentences: meter.createCounter('research.sentences', {
    description: 'Sentences of answers, as the verifier found them',
  }),
  running: meter.createUpDownCounter('research.jobs.running', {
    description: 'Jobs that this process works on',
  }),
  resumed: meter.createCounter('research.jobs.resumed', {
    description: 'Jobs that were taken up again after an interruption',
  }),
  jobs: meter.createCounter('research.jobs', {
    description: 'Jobs that ended, by outcome',
  }),
}))

/** Records a step that has ended. */
export function recordStep(step: Omit<TraceStep, 'sequence'>): void {
  const { costMicros, decision, durationMs, inputTokens, kind, outputTokens, reason } = step
  const { cost, duration, jobs, refusals, tokens } = instruments()
  const tool = toToolLabel(step)
  const labels = { step: kind, decision, ...(tool === undefined ? {} : { tool }) }
  duration.record(durationMs / 1000, labels)
  // The verifier gives several reasons at once: each is one of a few.
  for (const one of decision === 'pass' ? [] : (reason ?? 'unknown').split(', ')) {
    refusals.add(1, { ...labels, reason: one })
  }
  if (inputTokens !== undefined) tokens.add(inputTokens, { direction: 'input' })
  if (outputTokens !== undefined) tokens.add(outputTokens, { direction: 'output' })
  if (costMicros !== undefined) cost.add(costMicros)
  if (kind === 'outcome') jobs.add(1, { outcome: decision === 'pass' ? 'completed' : 'failed' })
}

/** Records what the verifier found of an answer: each sentence that it dropped by the reason, which is one of a few. */
export function recordVerdict({
  dropped,
  sentences,
}: {
  readonly sentences: readonly unknown[]
  readonly dropped: readonly Pick<DroppedSentence, 'reason'>[]
}): void {
  const { sentences: counter } = instruments()
  counter.add(sentences.length, { outcome: 'supported' })
  for (const { reason } of dropped) counter.add(1, { outcome: 'dropped', reason })
}

/** Counts a job as running until the function that it answers is called. */
export function recordRunning(isResumed: boolean): () => void {
  const { resumed, running } = instruments()
  running.add(1)
  if (isResumed) resumed.add(1)
  return () => running.add(-1)
}

/** Only what the contract knows has scopes. */
function toToolLabel({ scopes, tool }: Omit<TraceStep, 'sequence'>): string | undefined {
  return tool === undefined || scopes !== undefined ? tool : UNKNOWN_TOOL
}
