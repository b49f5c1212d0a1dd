// `research.ask`: quote → hold → search → capture → brief. Money is held before the work and captured
// for what was delivered; whatever goes wrong in between, it is released.
import type { Clock } from '@deputy/auth/protocol'
import type { CallRefusal } from '@deputy/auth/trpc'
import type { Quote } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import type { AskInput, Brief, Receipt } from '@deputy/contracts/research'
import type { Logger } from '@deputy/serve'
import { createHash, randomUUID } from 'node:crypto'
import { answerQuestion } from './answer/answer-question.ts'
import type { VerifiedSentences } from './answer/verify-citations.ts'
import type { BillingFailure, BillingGateway, JobBilling } from './billing/billing-gateway.ts'
import type { Library } from './documents/library.ts'
import type { Job } from './jobs/job.ts'
import type { JobStore } from './jobs/job-store.ts'
import { refuseCall } from './refusals.ts'

export type AskDeps = {
  readonly jobs: JobStore
  readonly library: Library
  readonly billing: BillingGateway
  readonly clock: Clock
  readonly logger: Logger
}

/** Answers a question. Throws `CallRefusal`. */
export async function ask(deps: AskDeps, { principal }: Call, input: AskInput): Promise<Brief> {
  const { clock, jobs, library } = deps
  const documents = await library.whenIndexed()
  if (!documents.ok) {
    throw refuseCall(
      'documents_unavailable',
      `There is nothing to search: ${documents.refusal.detail}`,
    )
  }
  const jobId = randomUUID()
  const bodySha256 = sha256({ question: input.question, maxSentences: input.maxSentences })
  const askedAt = clock.now()
  const earlier = await jobs.begin({
    jobId,
    asker: { agentId: principal.agentId, subject: principal.subject },
    question: input.question,
    idempotencyKey: input.idempotencyKey,
    bodySha256,
    askedAt,
  })
  if (earlier !== undefined) return repeat(earlier, bodySha256)

  const billing = deps.billing(jobId)
  let holdId: string | undefined
  try {
    const quote = requireBilling(await billing.quote(input.maxSentences))
    const hold = requireBilling(await billing.hold(quote.quoteId))
    ;({ holdId } = hold)
    await jobs.setHold(jobId, holdId)
    const answer = await answerQuestion(library.index, input.question, input.maxSentences)
    if (answer.sentences.length === 0) {
      const message = `Nothing in ${String(documents.value)} documents answers this question`
      throw refuseCall('no_answer_found', message)
    }
    const amountMinor = priceOf(quote, answer.sentences.length)
    requireBilling(await captureSurely(billing, holdId, amountMinor))
    const brief: Brief = {
      jobId,
      question: input.question,
      sentences: [...answer.sentences],
      documentsSearched: documents.value,
      cost: { amountMinor, currency: quote.amount.currency },
      holdId,
      askedAt,
      completedAt: clock.now(),
      calls: [...billing.calls],
    }
    await jobs.complete(jobId, { brief, receipt: toReceipt(brief, answer) })
    return brief
  } catch (error) {
    await abandon(deps, { jobId, holdId, billing, error })
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

/** The answer to a call that was made before under the same key. */
function repeat(earlier: Job, bodySha256: string): Brief {
  if (earlier.bodySha256 !== bodySha256) {
    throw refuseCall('idempotency_conflict', 'The idempotency key was used for another question')
  }
  if (earlier.brief === undefined) {
    throw refuseCall('job_in_progress', `The job ${earlier.jobId} is being worked on`)
  }
  return earlier.brief
}

/** Marks the job failed, then gives back what is held. What cannot be given back now expires at billing. */
async function abandon(
  { clock, jobs, logger }: AskDeps,
  job: {
    readonly jobId: string
    readonly holdId: string | undefined
    readonly billing: JobBilling
    readonly error: unknown
  },
): Promise<void> {
  const { billing, error, holdId, jobId } = job
  await jobs.fail(jobId, isRefusal(error) ? error.reason : 'internal_error', clock.now())
  if (holdId === undefined) return
  const released = await billing.release(holdId)
  if (!released.ok) {
    logger.warn({ jobId, holdId, reason: released.refusal.reason }, 'a hold was not released')
  }
}

function isRefusal(error: unknown): error is CallRefusal {
  return error instanceof Error && 'reason' in error && typeof error.reason === 'string'
}

function requireBilling<Value>(
  result:
    | { readonly ok: true; readonly value: Value }
    | { readonly ok: false; readonly refusal: BillingFailure },
): Value {
  if (result.ok) return result.value
  const { hint, kind, message, reason } = result.refusal
  if (kind === 'unavailable') {
    throw refuseCall('billing_unavailable', `The billing agent cannot be used: ${message}`)
  }
  throw refuseCall('billing_refused', `Billing refused: ${reason}: ${message}. ${hint}`.trim())
}

function priceOf(quote: Quote, sentences: number): number {
  return quote.baseMinor + quote.unitPriceMinor * sentences
}

function toReceipt(brief: Brief, { documents }: VerifiedSentences): Receipt {
  return {
    jobId: brief.jobId,
    holdId: brief.holdId,
    cost: brief.cost,
    sentences: brief.sentences.length,
    documents: [...documents],
    briefSha256: sha256(brief.sentences),
    completedAt: brief.completedAt,
  }
}

function sha256(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}
