// A job from its quote to its brief: question → quote → hold → loop → capture. Money is held before the work
// and captured for what was delivered; whatever goes wrong in between, it is released. Each step is on disk
// before the next one, so that a crash loses neither money nor a brief that was paid for, and the job goes on from there.
import type { Call } from '@deputy/contracts/call'
import type { Brief } from '@deputy/contracts/research'
import type { TraceStep } from '@deputy/contracts/trace'
import { reasonOf } from '@deputy/serve/telemetry'
import type { JobBilling } from '../billing/billing-gateway.ts'
import { requireBilling } from '../billing/require-billing.ts'
import type { Library } from '../documents/library.ts'
import type { Planner } from '../loop/agent-loop.ts'
import type { LoopLimits } from '../loop/limits.ts'
import { refuseCall } from '../refusals.ts'
import type { OpenBillingFor } from '../tools/job-tools.ts'
import { openRecorder, type Recorder } from '../trace/recorder.ts'
import { recordRunning } from '../trace/step-metrics.ts'
import type { TraceStore } from '../trace/trace-store.ts'
import { LeaseLostError, type JobStep, type NewJob } from './job-store.ts'
import { startLease } from './lease.ts'
import { makeDraft } from './make-draft.ts'
import type { RunningJob } from './running-jobs.ts'
import { completeJob, settleJob, type OpenJob, type SettleDeps } from './settle-job.ts'
import { traceBilling } from './trace-billing.ts'

export type WorkDeps = SettleDeps & {
  readonly library: Library
  readonly traces: TraceStore
  readonly planner: Planner
  readonly limits: LoopLimits
  readonly openBillingFor: OpenBillingFor
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs: () => number
}

/** What there is to do. */
export type Work = {
  /** As it was begun, or as it was left. */
  readonly job: Pick<NewJob, 'jobId' | 'question' | 'maxSentences' | 'taskGrant' | 'askedAt'>
  readonly call: Call
  /** Whoever asked can ask for the same job again. */
  readonly isResumable: boolean
  /** How many are searched. */
  readonly documents: number
  /** Where the work was, when it is taken up again. */
  readonly left?: Left | undefined
}

export type Left = OpenJob & {
  readonly checkpoint: string | undefined
  readonly steps: readonly TraceStep[]
  readonly losses: number
}

/**
 * How often whoever works on a job may be lost in the middle of it. A job that takes its process down with it is not
 * taken up for ever.
 */
const MAX_LOSSES = 3

const NOTHING = { quoteId: undefined, quote: undefined, holdId: undefined, draft: undefined }

/**
 * Works on a job that is in this process's hands, from where it was. Throws `CallRefusal`, `LeaseLostError`,
 * or what the job was aborted with.
 */
export async function workOnJob(deps: WorkDeps, work: Work, running: RunningJob): Promise<Brief> {
  const { jobs, nowMs, traces } = deps
  const { left } = work
  const { jobId, taskGrant } = work.job
  const onStep = (step: TraceStep): void => running.addStep(step)
  const ends = (left?.steps ?? []).map(({ durationMs, offsetMs }) => offsetMs + durationMs)
  const beforeMs = Math.max(0, ...ends)
  const { traceparent } = work.call
  const recorder = openRecorder({ jobId, traces, nowMs, onStep, beforeMs, traceparent })
  const openBilling = (grant?: string): JobBilling =>
    traceBilling(deps.billing(jobId, grant, traceparent), recorder)
  let billing = openBilling(taskGrant)
  const hasEnded = recordRunning(left !== undefined)
  let open: OpenJob = left ?? { jobId, ...NOTHING }
  const note = async ({ checkpoint, ...step }: JobStep): Promise<void> => {
    await jobs.note(jobId, checkpoint === undefined ? step : { ...step, checkpoint })
    open = { ...open, ...step }
  }
  try {
    if (left !== undefined) await recordResume(recorder, left)
    const making = { billing, note, open, recorder, running }
    const draft = open.draft ?? (await makeDraft(deps, work, making))

    billing = openBilling(taskGrant)
    const { cost, holdId, sentences } = draft.brief
    requireBilling(await captureSurely(billing, holdId, cost.amountMinor))
    await recordOutcome(
      recorder,
      `${String(sentences.length)} sentences are delivered and paid for`,
    )
    return await completeJob(jobs, draft, billing)
  } catch (error) {
    await requireLease(deps, work, { error, running })
    // What is held is research's own to give back, also when the task grant has just ended.
    const own = taskGrant === undefined ? billing : openBilling()
    const reason = reasonOf(error)
    const brief = await settleJob(deps, open, { billing: own, reason })
    await recordOutcome(recorder, brief === undefined ? undefined : 'it was paid for', reason)
    if (brief !== undefined) return brief
    throw error
  } finally {
    hasEnded()
    await jobs.layDown(jobId)
  }
}

/** Tells of the interruption. Throws `interrupted` when it was one too many. */
async function recordResume(recorder: Recorder, { losses }: Left): Promise<void> {
  await recorder.run('resume', async (note) => {
    note({ detail: 'the work was interrupted, and is taken up where it was' })
    if (losses > MAX_LOSSES) {
      throw refuseCall('interrupted', `The work was interrupted ${String(losses)} times`)
    }
  })
}

/**
 * Passes when the job is this process's to end. Throws `LeaseLostError` where another one works on it by now, and the error where the agent
 * closes and whoever asked can come back: then the job is only laid down.
 */
async function requireLease(
  deps: WorkDeps,
  { isResumable, job: { jobId } }: Work,
  { error, running }: { readonly error: unknown; readonly running: RunningJob },
): Promise<void> {
  const isClosed = running.signal.aborted && reasonOf(running.signal.reason) === 'interrupted'
  if (isClosed && isResumable && error === running.signal.reason) throw error
  const isLost =
    error instanceof LeaseLostError || (await deps.jobs.renew(startLease(deps).until, jobId)) === 0
  if (isLost) throw new LeaseLostError(jobId)
}

async function recordOutcome(
  recorder: Recorder,
  detail: string | undefined,
  reason?: string,
): Promise<void> {
  await recorder.run('outcome', async (note) => {
    if (detail === undefined) note({ decision: 'refused', reason: reason ?? 'internal_error' })
    else note({ detail })
  })
}

/**
 * Captures, and asks once more when no answer came: whether the first one was carried out is not known,
 * and billing carries it out once.
 */
async function captureSurely(billing: JobBilling, holdId: string, amountMinor: number) {
  const captured = await billing.capture(holdId, amountMinor)
  if (captured.ok || captured.refusal.kind === 'refused') return captured
  return billing.capture(holdId, amountMinor)
}
