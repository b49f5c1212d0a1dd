// A span for each call of a procedure, in the trace that the postings of the call name. What goes into it is what the ledger
// says of them as well: never an input, a token or the message of an error.
import type { Call } from '@deputy/contracts/call'
import { reasonOf, runInSpan } from '@deputy/serve/telemetry'
import { trace } from '@opentelemetry/api'
import { grantOf } from '../owners/owner.ts'

export const TRACER_NAME = '@deputy/billing-agent'

const OUTCOME = 'billing.outcome'

/** Runs a procedure in a span. Its outcome is `ok`, what is noted of it, or the reason that the call was refused with. */
export function traced<Input extends unknown[], Output>(
  procedure: string,
  run: (call: Call, ...input: Input) => Promise<Output>,
): (call: Call, ...input: Input) => Promise<Output> {
  return async (call, ...input) => {
    const { agentId, subject } = call.principal
    const grantId = grantOf(call.principal)
    const attributes = {
      'deputy.agent_id': agentId,
      'deputy.subject': subject,
      ...(grantId === undefined ? {} : { 'deputy.grant_id': grantId }),
      [OUTCOME]: 'ok',
    }
    const { traceparent } = call
    return runInSpan(
      { tracer: TRACER_NAME, name: procedure, attributes, traceparent },
      async (span) => {
        try {
          return await run(call, ...input)
        } catch (error) {
          span.setAttribute(OUTCOME, reasonOf(error))
          throw error
        }
      },
    )
  }
}

/** Notes on the span that is active what came of its call, where that is more than `ok`. */
export function noteOutcome(outcome: 'replayed'): void {
  trace.getActiveSpan()?.setAttribute(OUTCOME, outcome)
}
