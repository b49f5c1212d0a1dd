// A job from its quote to its brief: quote → hold → search → capture. Money is held before the work and
// captured for what was delivered; whatever goes wrong in between, it is released. Each step is on disk
// before the next one, so that a crash loses neither money nor a brief that was paid for.
import type { Quote } from '@deputy/contracts/billing'
import type { Brief } from '@deputy/contracts/research'
import { answerQuestion } from '../answer/answer-question.ts'
import type { VerifiedSentences } from '../answer/verify-citations.ts'
import type { JobBilling } from '../billing/billing-gateway.ts'
import { requireBilling } from '../billing/require-billing.ts'
import type { Library } from '../documents/library.ts'
import { reasonOf, refuseCall } from '../refusals.ts'
import { sha256OfJson } from '../sha256.ts'
import type { JobResult } from './job.ts'
import type { NewJob } from './job-store.ts'
import { completeJob, settleJob, type OpenJob, type SettleDeps } from './settle-job.ts'

export type WorkDeps = SettleDeps & { readonly library: Library }

/** What there is to do. */
export type Work = NewJob & {
  readonly maxSentences: number
  /** What the work is paid for within; without one, by research itself. */
  readonly taskGrant: string | undefined
  /** How many are searched. */
  readonly documents: number
}

/** Works on a job that was just begun. Throws `CallRefusal`. */
export async function workOnJob(deps: WorkDeps, work: Work): Promise<Brief> {
  const { jobs, library } = deps
  const { jobId } = work
  let billing = deps.billing(jobId, work.taskGrant)
  let open: OpenJob = { jobId, quoteId: undefined, holdId: undefined, draft: undefined }
  const note = async (step: Partial<OpenJob>): Promise<void> => {
    open = { ...open, ...step }
    await jobs.note(jobId, step)
  }
  try {
    const quote = requireBilling(await billing.quote(work.maxSentences))
    await note({ quoteId: quote.quoteId })
    const held = await billing.hold(quote.quoteId)
    if (!held.ok && held.refusal.kind === 'refused') await note({ quoteId: undefined })
    const { holdId } = requireBilling(held)
    await note({ holdId })

    const answer = await answerQuestion(library.index, work.question, work.maxSentences)
    if (answer.sentences.length === 0) {
      const message = `Nothing in ${String(work.documents)} documents answers this question`
      throw refuseCall('no_answer_found', message)
    }
    const draft = toDraft(work, { answer, quote, holdId }, [deps.clock.now(), billing.calls])
    await note({ draft })

    billing = deps.billing(jobId, work.taskGrant)
    requireBilling(await captureSurely(billing, holdId, draft.brief.cost.amountMinor))
    return await completeJob(jobs, draft, billing)
  } catch (error) {
    // What is held is research's own to give back, also when the task grant has just ended.
    const own = work.taskGrant === undefined ? billing : deps.billing(jobId)
    const brief = await settleJob(deps, open, { billing: own, reason: reasonOf(error) })
    if (brief !== undefined) return brief
    throw error
  }
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

function toDraft(
  { askedAt, documents, jobId, question }: Work,
  delivery: {
    readonly answer: VerifiedSentences
    readonly quote: Quote
    readonly holdId: string
  },
  [completedAt, calls]: readonly [number, JobBilling['calls']],
): JobResult {
  const { answer, holdId, quote } = delivery
  const sentences = [...answer.sentences]
  const cost = {
    amountMinor: quote.baseMinor + quote.unitPriceMinor * sentences.length,
    currency: quote.amount.currency,
  }
  const common = { jobId, holdId, cost, completedAt }
  return {
    brief: {
      ...common,
      question,
      sentences,
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
