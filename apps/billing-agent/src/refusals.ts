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
  currency_unknown: { code: 'BAD_REQUEST', hint: 'Use a code of ISO 4217, like USD.' },
  deposit_out_of_range: {
    code: 'UNPROCESSABLE_CONTENT',
    hint: 'The deposits of an organisation in one currency come to 2^53 - 1 minor units at most.',
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
  event_conflict: {
    code: 'CONFLICT',
    hint: 'Repeat an event with the same content, or give another event an eventId of its own.',
  },
  event_in_the_future: {
    code: 'BAD_REQUEST',
    hint: 'Use epoch seconds of when it happened, and compare the clocks.',
  },
  event_unknown: {
    code: 'NOT_FOUND',
    hint: 'A correction names the eventId of an event that you recorded yourself, never of a correction.',
  },
  evidence_mismatch: {
    code: 'CONFLICT',
    hint: 'The statement stays open. Compare the receipt with the capture. A capture that is refunded whole needs no evidence.',
  },
  evidence_unavailable: {
    code: 'BAD_GATEWAY',
    hint: 'The statement stays open. Try again when the agent that did the work can be reached. A capture that is refunded whole needs no evidence.',
  },
  hold_not_captured: {
    code: 'CONFLICT',
    hint: 'Only what was captured can be given back: release an open hold.',
  },
  hold_expired: { code: 'CONFLICT', hint: 'Begin with a new quote: what was held is given back.' },
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
  meter_exists: {
    code: 'CONFLICT',
    hint: 'A meter keeps its meaning: define another one under a new name.',
  },
  meter_not_additive: {
    code: 'UNPROCESSABLE_CONTENT',
    hint: 'Set a quota on a meter that counts by sum or count, or on money.',
  },
  meter_unknown: { code: 'NOT_FOUND', hint: 'usage.meters lists what can be recorded.' },
  owner_unknown: { code: 'NOT_FOUND', hint: 'Leave ownerId out for your own organisation.' },
  price_version_exists: {
    code: 'CONFLICT',
    hint: 'What is published is final: choose a new version.',
  },
  prices_in_the_past: {
    code: 'BAD_REQUEST',
    hint: 'Leave effectiveAt out for now, or name a later second.',
  },
  prices_not_yours: { code: 'FORBIDDEN', hint: 'Ask whoever runs the system.' },
  quota_exceeded: {
    code: 'FORBIDDEN',
    hint: 'Spend less, release what is held, wait for the next period, or ask an operator for more. quotas.list says what is spent.',
  },
  quota_unknown: { code: 'NOT_FOUND', hint: 'quotas.list lists those that you may see.' },
  quote_expired: { code: 'CONFLICT', hint: 'Ask for a new quote with billing.quote.' },
  quote_unknown: { code: 'NOT_FOUND', hint: 'Use a quoteId that billing.quote gave this account.' },
  refund_exceeds_capture: {
    code: 'UNPROCESSABLE_CONTENT',
    hint: 'All refunds of a capture together come to what was captured at most.',
  },
  service_free: {
    code: 'UNPROCESSABLE_CONTENT',
    hint: 'Do the work without a hold: billing.prices says what costs something.',
  },
  service_unknown: { code: 'NOT_FOUND', hint: 'billing.prices lists what can be had.' },
  statement_unknown: {
    code: 'NOT_FOUND',
    hint: 'billing.statements lists those that you may see.',
  },
  usage_out_of_range: {
    code: 'UNPROCESSABLE_CONTENT',
    hint: 'Correct the events that say too much: usage.events lists them.',
  },
  quote_used: { code: 'CONFLICT', hint: 'A quote is good for one hold: ask for a new one.' },
}

/** The refusal for a reason. `message` is public and says what was wrong with this call. */
export function refuseCall(reason: BillingReason, message: string): CallRefusal {
  return new CallRefusal({ ...WORDS[reason], reason, message })
}
