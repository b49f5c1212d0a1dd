// The jobs that this process works on. A job does not end with the connection that it was asked over: whoever
// asked comes back and follows it from where the connection broke.
import type { AskEventWithId, Brief } from '@deputy/contracts/research'
import type { TraceStep } from '@deputy/contracts/trace'
import { toEventId } from './event-id.ts'

export type RunningJob = {
  readonly jobId: string
  readonly signal: AbortSignal
  /** Tells those who follow of a step. */
  addStep(step: TraceStep): void
  /** Does the work, once; the job runs until it ends. */
  run(work: () => Promise<Brief>): Promise<Brief>
  /** Ends it as one that was never begun. */
  discard(): void
  /** Ends the work with this reason. */
  abort(reason: Error): void
  /**
   * The steps after a number, as they come, then the brief, and whether it came. Throws what the work ended with.
   */
  follow(after: number): AsyncGenerator<AskEventWithId, boolean>
}

export type RunningJobs = {
  open(jobId: string): RunningJob
  find(jobId: string): RunningJob | undefined
  /** Ends all of them with this reason, and resolves when they have. */
  close(reason: Error): Promise<void>
}

/** Creates the list, which is empty. */
export function createRunningJobs(): RunningJobs {
  const running = new Map<string, { readonly job: RunningJob; readonly ended: Promise<unknown> }>()
  return {
    open(jobId) {
      const { promise: ended, resolve } = Promise.withResolvers<void>()
      const job = createRunningJob(jobId, () => {
        running.delete(jobId)
        resolve()
      })
      running.set(jobId, { job, ended })
      return job
    },
    find: (jobId) => running.get(jobId)?.job,
    async close(reason) {
      const all = [...running.values()]
      for (const { job } of all) job.abort(reason)
      await Promise.all(all.map(async ({ ended }) => ended))
    },
  }
}

function createRunningJob(jobId: string, onEnd: () => void): RunningJob {
  const controller = new AbortController()
  const steps: TraceStep[] = []
  let changed = Promise.withResolvers<void>()
  const wake = (): void => {
    changed.resolve()
    changed = Promise.withResolvers<void>()
  }
  let result: Promise<Brief> | undefined
  let isEnded = false
  const end = (): void => {
    isEnded = true
    onEnd()
    wake()
  }

  return {
    jobId,
    signal: controller.signal,
    addStep(step) {
      steps.push(step)
      wake()
    },
    async run(work) {
      result = work()
      wake()
      try {
        return await result
      } finally {
        end()
      }
    },
    discard: end,
    abort: (reason) => controller.abort(reason),
    async *follow(after) {
      let sequence = after
      for (;;) {
        const next = changed.promise
        for (const step of steps.filter((one) => one.sequence > sequence)) {
          sequence = step.sequence
          yield { id: toEventId(jobId, sequence), event: { type: 'step', jobId, step } }
        }
        if (isEnded) break
        await next
      }
      if (result === undefined) return false
      const brief = await result
      yield { id: toEventId(jobId, sequence + 1), event: { type: 'brief', jobId, brief } }
      return true
    },
  }
}
