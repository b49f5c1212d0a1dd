import type { TraceStep } from '@deputy/contracts/trace'

/** What the steps of a job come to so far. */
export type TraceTotals = {
  readonly steps: number
  readonly inputTokens: number
  readonly outputTokens: number
}

/** Where the steps of jobs are kept. What a method answers is on disk. */
export type TraceStore = {
  /**
   * Adds a step with the next number of its job. Only for who works on the job, or ended it: throws `LeaseLostError`
   * otherwise, so that a process which was stopped for a while writes nothing on the trace of who took the job up.
   */
  append(jobId: string, step: Omit<TraceStep, 'sequence'>): Promise<TraceStep>
  /** The steps of a job after a number, in order. */
  list(jobId: string, after?: number): Promise<readonly TraceStep[]>
  /** The totals of those jobs that have steps. */
  total(jobIds: readonly string[]): Promise<ReadonlyMap<string, TraceTotals>>
}
