// From a job to what was found for it: quote → hold → loop. What was done before the job was interrupted is not done again.
import type { Quote } from '@deputy/contracts/billing'
import type { CallRecord } from '@deputy/contracts/call'
import type { JobBilling } from '../billing/billing-gateway.ts'
import { requireBilling } from '../billing/require-billing.ts'
import { openDocumentReader } from '../documents/document-reader.ts'
import type { LoopAnswer } from '../loop/agent-loop.ts'
import { answerQuestion, prepareQuestion } from '../loop/answer-question.ts'
import { parseLoop } from '../loop/loop-state.ts'
import { refuseCall } from '../refusals.ts'
import { sha256OfJson } from '../sha256.ts'
import { createDocumentService } from '../tools/document-service.ts'
import { createJobTools } from '../tools/job-tools.ts'
import { silentRecorder, type Recorder } from '../trace/recorder.ts'
import type { JobResult } from './job.ts'
import type { JobStep } from './job-store.ts'
import type { RunningJob } from './running-jobs.ts'
import type { OpenJob } from './settle-job.ts'
import { toCallRecords } from './trace-billing.ts'
import type { Work, WorkDeps } from './work-on-job.ts'

export type Making = {
  readonly open: OpenJob
  readonly billing: JobBilling
  readonly recorder: Recorder
  readonly running: RunningJob
  /** Writes down how far the job has come. */
  readonly note: (step: JobStep) => Promise<void>
}

/** Finds the answer, under a hold for the most that it may cost. Throws as `workOnJob` does. */
export async function makeDraft(deps: WorkDeps, work: Work, making: Making): Promise<JobResult> {
  const { limits, nowMs, planner } = deps
  const { billing, note, recorder, running } = making
  const { job, left } = work
  const steps = left?.steps ?? []
  const tools = openTools(deps, work)
  // The plan is made anew, for the scopes of the token that the work goes on with; its steps are told once.
  const preparing = steps.some(({ kind }) => kind === 'plan') ? silentRecorder : recorder
  const prepared = await prepareQuestion(preparing, job.question, Object.keys(tools.tools))
  const { holdId, quote } = await hold(making, job.maxSentences)

  const from = left?.checkpoint === undefined ? undefined : parseLoop(left.checkpoint)
  const leftMs = Math.max(1, Math.ceil(limits.maxSeconds * 1000 - (from?.elapsedMs ?? 0)))
  const timeout = AbortSignal.timeout(leftMs)
  const signal = AbortSignal.any([running.signal, timeout])
  const save = async (checkpoint: string): Promise<void> => note({ checkpoint })
  const options = { ...tools, planner, limits, recorder, nowMs, signal, save }
  const task = { maxSentences: job.maxSentences, from }
  const answer = await answerQuestion(options, prepared, task).catch((error) => {
    throw timeout.aborted ? refuseCall('limits_reached', 'The work took too long') : error
  })
  running.signal.throwIfAborted()
  if (answer.sentences.length === 0) throw refuseAnswer(answer, work.documents)
  const calls = [...toCallRecords(steps), ...billing.calls]
  const draft = toDraft(deps, work, { answer, quote, holdId, calls })
  await note({ draft })
  return draft
}

/** The price and the money for it, asked for once. */
async function hold({ billing, note, open }: Making, maxSentences: number) {
  const quote = open.quote ?? requireBilling(await billing.quote(maxSentences))
  if (open.quote === undefined) await note({ quoteId: quote.quoteId, quote })
  if (open.holdId !== undefined) return { quote, holdId: open.holdId }
  const held = await billing.hold(quote.quoteId)
  if (!held.ok && held.refusal.kind === 'refused') await note({ quoteId: undefined })
  const { holdId } = requireBilling(held)
  await note({ holdId })
  return { quote, holdId }
}

/** The tools that the caller's scopes reach, until the work is done. */
function openTools(deps: WorkDeps, { call }: Work) {
  const { index, parser } = deps.library
  const reader = openDocumentReader({ index, parser, logger: deps.logger })
  const documents = createDocumentService(index, reader)
  return { reader, ...createJobTools(call, documents, deps.openBillingFor(call)) }
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
  { documents, job }: Work,
  delivery: {
    readonly answer: LoopAnswer
    readonly quote: Quote
    readonly holdId: string
    readonly calls: readonly CallRecord[]
  },
): JobResult {
  const { answer, calls, holdId, quote } = delivery
  const { askedAt, jobId, question } = job
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
