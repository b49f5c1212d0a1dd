// Writes down each step of a job as it ends: on disk, as a span, and to whoever follows the job live.
import type { StepKind, TraceStep } from '@deputy/contracts/trace'
import { reasonOf, runInSpan } from '@deputy/serve/telemetry'
import { recordStep } from './step-metrics.ts'
import { describeStep, TRACER_NAME } from './telemetry.ts'
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
  /** The trace that the steps' spans belong to: that of whoever asked. */
  readonly traceparent?: string | undefined
  /** What the job took before, when it is taken up again. */
  readonly beforeMs?: number
}

/** Runs steps, and writes none down: they are on the trace already. */
export const silentRecorder: Recorder = { run: async (_kind, work) => work(() => undefined) }

/** Opens the recorder of one job, which begins now. */
export function openRecorder(options: RecorderOptions): Recorder {
  const { beforeMs = 0, jobId, nowMs, onStep, traceparent, traces } = options
  const startedMs = nowMs() - beforeMs
  return {
    run: async (kind, work) => {
      const attributes = { 'research.job_id': jobId }
      const name = `research.${kind}`
      return runInSpan({ tracer: TRACER_NAME, name, attributes, traceparent }, async (span) => {
        const beganMs = nowMs()
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
          describeStep(span, step)
          recordStep(step)
          onStep(await traces.append(jobId, step))
        }
      })
    },
  }
}
