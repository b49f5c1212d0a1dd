// A job from its quote to its brief: question → quote → hold → loop → capture. Money is held before the work
// and captured for what was delivered; whatever goes wrong in between, it is released. Each step is on disk
// before the next one, so that a crash loses neither money nor a brief that was paid for.
import type { Quote } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import type { Brief } from '@deputy/contracts/research'
import type { JobBilling } from '../billing/billing-gateway.ts'
import { requireBilling } from '../billing/require-billing.ts'
import { openDocumentReader } from '../documents/document-reader.ts'
import type { Library } from '../documents/library.ts'
import type { LoopAnswer, Planner } from '../loop/agent-loop.ts'
import { answerQuestion, prepareQuestion } from '../loop/answer-question.ts'
import type { LoopLimits } from '../loop/limits.ts'
import { reasonOf, refuseCall } from '../refusals.ts'
import { sha256OfJson } from '../sha256.ts'
import { createDocumentService } from '../tools/document-service.ts'
import { createJobTools, type OpenBillingFor } from '../tools/job-tools.ts'
import { openRecorder, type Recorder } from '../trace/recorder.ts'
import type { TraceStore } from '../trace/trace-store.ts'
import type { JobResult } from './job.ts'
import type { NewJob } from './job-store.ts'
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
export type Work = NewJob & {
  readonly call: Call
  readonly maxSentences: number
  /** What the work is paid for within; without one, by research itself. */
  readonly taskGrant: string | undefined
  /** How many are searched. */
  readonly documents: number
}

/** Works on a job that was just begun. Throws `CallRefusal`, or what the job was aborted with. */
export async function workOnJob(deps: WorkDeps, work: Work, running: RunningJob): Promise<Brief> {
  const { jobs, nowMs, traces } = deps
  const { jobId } = work
  const recorder = openRecorder({ jobId, traces, nowMs, onStep: (step) => running.addStep(step) })
  const openBilling = (taskGrant?: string): JobBilling =>
    traceBilling(deps.billing(jobId, taskGrant), recorder)
  let billing = openBilling(work.taskGrant)
  let open: OpenJob = { jobId, quoteId: undefined, holdId: undefined, draft: undefined }
  const note = async (step: Partial<OpenJob>): Promise<void> => {
    open = { ...open, ...step }
    await jobs.note(jobId, step)
  }
  try {
    const tools = openTools(deps, work)
    const prepared = await prepareQuestion(recorder, work.question, Object.keys(tools.tools))
    const quote = requireBilling(await billing.quote(work.maxSentences))
    await note({ quoteId: quote.quoteId })
    const held = await billing.hold(quote.quoteId)
    if (!held.ok && held.refusal.kind === 'refused') await note({ quoteId: undefined })
    const { holdId } = requireBilling(held)
    await note({ holdId })

    const timeout = AbortSignal.timeout(deps.limits.maxSeconds * 1000)
    const signal = AbortSignal.any([running.signal, timeout])
    const { limits, planner } = deps
    const options = { ...tools, planner, limits, recorder, nowMs, signal }
    const answer = await answerQuestion(options, prepared, work.maxSentences).catch((error) => {
      throw timeout.aborted ? refuseCall('limits_reached', 'The work took too long') : error
    })
    running.signal.throwIfAborted()
    if (answer.sentences.length === 0) throw refuseAnswer(answer, work.documents)
    const draft = toDraft(deps, work, { answer, quote, holdId, calls: billing.calls })
    await note({ draft })

    billing = openBilling(work.taskGrant)
    requireBilling(await captureSurely(billing, holdId, draft.brief.cost.amountMinor))
    const { sentences } = draft.brief
    await recordOutcome(
      recorder,
      `${String(sentences.length)} sentences are delivered and paid for`,
    )
    return await completeJob(jobs, draft, billing)
  } catch (error) {
    // What is held is research's own to give back, also when the task grant has just ended.
    const own = work.taskGrant === undefined ? billing : openBilling()
    const reason = reasonOf(error)
    const brief = await settleJob(deps, open, { billing: own, reason })
    await recordOutcome(recorder, brief === undefined ? undefined : 'it was paid for', reason)
    if (brief !== undefined) return brief
    throw error
  }
}

/** The tools that the caller's scopes reach, until the work is done. */
function openTools(deps: WorkDeps, { call }: Work) {
  const { index } = deps.library
  const reader = openDocumentReader(index)
  const documents = createDocumentService(index, reader)
  return { reader, ...createJobTools(call, documents, deps.openBillingFor(call)) }
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

function refuseAnswer({ dropped }: LoopAnswer, documents: number) {
  const message =
    dropped.length === 0
      ? `Nothing in ${String(documents)} documents answers this question`
      : `Of ${String(dropped.length)} sentences of the answer, none is supported by what it cites`
  return refuseCall('no_answer_found', message)
}

function toDraft(
  { clock, planner }: Pick<WorkDeps, 'clock' | 'planner'>,
  { askedAt, documents, jobId, question }: Work,
  delivery: {
    readonly answer: LoopAnswer
    readonly quote: Quote
    readonly holdId: string
    readonly calls: JobBilling['calls']
  },
): JobResult {
  const { answer, calls, holdId, quote } = delivery
  const sentences = [...answer.sentences]
  const cost = {
    amountMinor: quote.baseMinor + quote.unitPriceMinor * sentences.length,
    currency: quote.amount.currency,
  }
  const common = { jobId, holdId, cost, completedAt: clock.now() }
  return {
    brief: {
      ...common,
      question,
      sentences,
      dropped: [...answer.dropped],
      notes: [...answer.notes],
      answeredBy: planner.label,
      documentsSearched: documents,
      askedAt,
      calls: [...calls],
    },
    receipt: {
      ...common,
      sentences: sentences.length,
      documents: [...answer.documents],
      briefSha256: sha256OfJson(sentences),
    },
  }
}
