// Why billing turns a call down, in public words. One entry a reason: a new one does not compile until
// it is here.
import type { BillingReason } from '@deputy/contracts/billing'
import { CallRefusal, type CallRefusalOptions } from '@deputy/auth/trpc'

type Words = Pick<CallRefusalOptions, 'code' | 'hint'>

const WORDS: Record<BillingReason, Words> = {
  account_unknown: {
    code: 'NOT_FOUND',
    hint: 'An account begins with its first deposit: make one with billing.deposit.',
  },
  budget_currency: {
    code: 'FORBIDDEN',
    hint: "Ask for a grant with a budget in this currency, or for a price in the budget's.",
  },
  budget_exceeded: {
    code: 'FORBIDDEN',
    hint: 'Hold less, release or capture what is held under the grant, or ask for a grant with more. billing.budget says what is used.',
  },
  capture_exceeds_hold: {
    code: 'UNPROCESSABLE_CONTENT',
    hint: 'Capture at most what is held, or ask for a quote over more and hold that.',
  },
  evidence_mismatch: {
    code: 'CONFLICT',
    hint: 'The statement stays open. Compare the receipt with the capture; release or correct the line.',
  },
  evidence_unavailable: {
    code: 'BAD_GATEWAY',
    hint: 'The statement stays open. Try again when the agent that did the work can be reached.',
  },
  hold_expired: { code: 'CONFLICT', hint: 'Release the hold and begin with a new quote.' },
  hold_captured: { code: 'CONFLICT', hint: 'A hold is captured or released once.' },
  hold_released: {
    code: 'CONFLICT',
    hint: 'A hold is captured or released once, by its owner or, when its grant ends, by the operator.',
  },
  hold_unknown: { code: 'NOT_FOUND', hint: 'Use a holdId that billing.hold gave this account.' },
  idempotency_conflict: {
    code: 'CONFLICT',
    hint: 'Repeat a call with the same body, or choose a new idempotency key for another one.',
  },
  insufficient_funds: {
    code: 'UNPROCESSABLE_CONTENT',
    hint: 'Deposit more, or hold less. billing.balance says what is available.',
  },
  quote_expired: { code: 'CONFLICT', hint: 'Ask for a new quote with billing.quote.' },
  quote_unknown: { code: 'NOT_FOUND', hint: 'Use a quoteId that billing.quote gave this account.' },
  quote_used: { code: 'CONFLICT', hint: 'A quote is good for one hold: ask for a new one.' },
}

/** The refusal for a reason. `message` is public and says what was wrong with this call. */
export function refuseCall(reason: BillingReason, message: string): CallRefusal {
  return new CallRefusal({ ...WORDS[reason], reason, message })
}
