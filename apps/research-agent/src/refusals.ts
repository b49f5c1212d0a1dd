// Why research turns a call down, in public words. One entry a reason: a new one does not compile until
// it is here.
import { CallRefusal, type CallRefusalOptions } from '@deputy/auth/trpc'
import type { ResearchReason } from '@deputy/contracts/research'

type Words = Pick<CallRefusalOptions, 'code' | 'hint'>

const WORDS: Record<ResearchReason, Words> = {
  billing_refused: {
    code: 'PRECONDITION_FAILED',
    hint: 'Nothing was charged. Put right what billing named and ask again.',
  },
  billing_unavailable: {
    code: 'SERVICE_UNAVAILABLE',
    hint: 'Ask again shortly with the same idempotency key.',
  },
  cursor_invalid: { code: 'BAD_REQUEST', hint: 'Use the nextCursor of the page before, or none.' },
  documents_unavailable: {
    code: 'SERVICE_UNAVAILABLE',
    hint: "Nothing was charged. The agent's operator must name a folder of documents in DEPUTY_DOCUMENTS.",
  },
  idempotency_conflict: {
    code: 'CONFLICT',
    hint: 'Repeat a call with the same body, or choose a new idempotency key for another one.',
  },
  interrupted: {
    code: 'SERVICE_UNAVAILABLE',
    hint: 'Nothing was charged. Ask again with the same idempotency key, or after the last event: the work goes on where it was.',
  },
  job_failed: {
    code: 'PRECONDITION_FAILED',
    hint: 'Nothing was charged. research.trace says at which step; ask again for a new job.',
  },
  job_in_progress: {
    code: 'CONFLICT',
    hint: 'The first call with this idempotency key is still being worked on: try again shortly.',
  },
  job_unknown: {
    code: 'NOT_FOUND',
    hint: 'Use the jobId of a job that you asked for: research.jobs lists them.',
  },
  limits_reached: {
    code: 'PRECONDITION_FAILED',
    hint: 'Nothing was charged. Ask a narrower question, or have the operator raise the limit.',
  },
  model_unavailable: {
    code: 'SERVICE_UNAVAILABLE',
    hint: "Nothing was charged. Ask again shortly; the agent's operator must see to the model.",
  },
  no_answer_found: {
    code: 'NOT_FOUND',
    hint: 'Nothing was charged. Ask in the words that the documents use.',
  },
  receipt_unknown: {
    code: 'NOT_FOUND',
    hint: 'Use the jobId of a completed job that you asked for or were paid for.',
  },
}

/** The refusal for a reason. `message` is public and says what was wrong with this call. */
export function refuseCall(reason: ResearchReason, message: string): CallRefusal {
  return new CallRefusal({ ...WORDS[reason], reason, message })
}
