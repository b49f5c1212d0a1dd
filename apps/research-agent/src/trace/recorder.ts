// Writes down each step of a job as it ends: on disk, as a span, and to whoever follows the job live.
import type { StepKind, TraceStep } from '@deputy/contracts/trace'
import { reasonOf } from '../refusals.ts'
import { startStepSpan } from './telemetry.ts'
import type { TraceStore } from './trace-store.ts'

/** What is known of a step beside its kind and its times. */
export type StepFacts = Partial<Omit<TraceStep, 'sequence' | 'kind' | 'offsetMs' | 'durationMs'>>

export type Recorder = {
  /**
   * Runs a step. It passes unless it notes another decision; one that throws is refused, with the reason of
   * the refusal.
   */
  run<Value>(
    kind: StepKind,
    work: (note: (facts: StepFacts) => void) => Promise<Value>,
  ): Promise<Value>
}

export type RecorderOptions = {
  readonly jobId: string
  readonly traces: TraceStore
  readonly onStep: (step: TraceStep) => void
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs: () => number
  /** What the job took before, when it is taken up again. */
  readonly beforeMs?: number
}

/** Runs steps, and writes none down: they are on the trace already. */
export const silentRecorder: Recorder = { run: async (_kind, work) => work(() => undefined) }

/** Opens the recorder of one job, which begins now. */
export function openRecorder(options: RecorderOptions): Recorder {
  const { beforeMs = 0, jobId, nowMs, onStep, traces } = options
  const startedMs = nowMs() - beforeMs
  return {
    async run(kind, work) {
      const beganMs = nowMs()
      const span = startStepSpan(kind, jobId)
      let facts: StepFacts = {}
      const note = (more: StepFacts): void => void (facts = { ...facts, ...more })
      const value = await work(note).catch(async (error: unknown) => {
        await end({ ...facts, decision: 'refused', reason: facts.reason ?? reasonOf(error) })
        throw error
      })
      await end(facts)
      return value

      async function end(facts: StepFacts): Promise<void> {
        const step = {
          ...facts,
          kind,
          decision: facts.decision ?? 'pass',
          offsetMs: beganMs - startedMs,
          durationMs: nowMs() - beganMs,
        }
        span.end(step)
        onStep(await traces.append(jobId, step))
      }
    },
  }
}
