import type { Call, CallRecord } from '@deputy/contracts/call'
import type { Receipt } from '@deputy/contracts/research'

/** What asking for a receipt came to. `call` is there either way, for the statement's record. */
export type ReceiptAnswer = { readonly call: CallRecord } & (
  | { readonly ok: true; readonly receipt: Receipt }
  | { readonly ok: false; readonly reason: string; readonly message: string }
)

/**
 * Asks the agent that did the work for evidence of it, on behalf of whoever wants it, and names the hold that paid for
 * it: evidence of what another hold paid for is none of its business. Ends with the call, has no more time than it has, and is in
 * its trace. Never rejects.
 */
export type ReceiptSource = (
  reference: string,
  call: Pick<Call, 'principal' | 'subjectToken' | 'signal' | 'deadline' | 'traceparent'>,
  holdId: string,
) => Promise<ReceiptAnswer>
