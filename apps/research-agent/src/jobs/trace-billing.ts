import type { Result } from '@deputy/auth/protocol'
import { BILLING_AGENT_ID } from '@deputy/contracts/billing'
import type { CallRecord } from '@deputy/contracts/call'
import { RESEARCH_AGENT_ID } from '@deputy/contracts/research'
import type { TraceStep } from '@deputy/contracts/trace'
import type { BillingFailure, JobBilling } from '../billing/billing-gateway.ts'
import type { Recorder } from '../trace/recorder.ts'

/** Puts each step at billing on the trace of the job. */
export function traceBilling(billing: JobBilling, recorder: Recorder): JobBilling {
  async function traced<Value>(
    step: () => Promise<Result<Value, BillingFailure>>,
  ): Promise<Result<Value, BillingFailure>> {
    return recorder.run('billing', async (note) => {
      const result = await step()
      const call = billing.calls.at(-1)
      if (call !== undefined) note({ tool: call.procedure, scopes: [...call.scopes] })
      if (!result.ok) note({ decision: 'refused', reason: result.refusal.reason })
      return result
    })
  }
  return {
    calls: billing.calls,
    quote: async (units) => traced(async () => billing.quote(units)),
    hold: async (quoteId) => traced(async () => billing.hold(quoteId)),
    capture: async (holdId, amountMinor) =>
      traced(async () => billing.capture(holdId, amountMinor)),
    release: async (holdId) => traced(async () => billing.release(holdId)),
  }
}

/** The calls of billing that are on the trace of a job: what a process before this one did for it. */
export function toCallRecords(steps: readonly TraceStep[]): readonly CallRecord[] {
  return steps.flatMap(({ durationMs, kind, reason, scopes = [], tool }) => {
    if (kind !== 'billing' || tool === undefined) return []
    const outcome = reason ?? 'ok'
    const ends = { from: RESEARCH_AGENT_ID, to: BILLING_AGENT_ID }
    return [{ ...ends, procedure: tool, scopes, outcome, durationMs }]
  })
}
