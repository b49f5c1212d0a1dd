import type { Result } from '@deputy/auth/protocol'
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
