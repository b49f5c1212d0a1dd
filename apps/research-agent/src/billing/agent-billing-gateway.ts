import { accept, refuse, type Result } from '@deputy/auth/protocol'
import { toClientError, withinCall, type AgentClient } from '@deputy/client'
import { BILLING_AGENT_ID, BILLING_REASONS, type BillingRouter } from '@deputy/contracts/billing'
import type { CallRecord } from '@deputy/contracts/call'
import { RESEARCH_AGENT_ID } from '@deputy/contracts/research'
import type { BillingFailure, BillingGateway } from './billing-gateway.ts'

/** What research needs of billing. */
export const BILLING_SCOPES = ['billing:write']

/** Billing's own refusals. Anything else, like a scope that is missing, says nothing about the money. */
const REFUSALS: ReadonlySet<string> = new Set(BILLING_REASONS)

/**
 * Creates the gateway to the billing agent. Idempotency keys are made of the job and the step, so that
 * a step that is repeated after a lost answer, or after a restart, is carried out once.
 *
 * @param openClient of research itself, or of its work under a task grant
 */
export function createAgentBillingGateway(
  openClient: (taskGrant: string | undefined) => AgentClient<BillingRouter>,
): BillingGateway {
  return (jobId, taskGrant, traceparent) => {
    const { billing } = openClient(taskGrant)
    // A job goes on when the call that began it is answered: its calls are in that one's trace, and in nothing else its.
    const scope = withinCall({ traceparent })
    const calls: CallRecord[] = []

    async function call<Answer>(
      step: string,
      run: (idempotencyKey: string) => Promise<Answer>,
    ): Promise<Result<Answer, BillingFailure>> {
      const startedMs = performance.now()
      const record = (outcome: string): void => {
        calls.push({
          from: RESEARCH_AGENT_ID,
          to: BILLING_AGENT_ID,
          procedure: `billing.${step}`,
          scopes: BILLING_SCOPES,
          outcome,
          durationMs: performance.now() - startedMs,
        })
      }
      try {
        const answer = await run(`${jobId}:${step}`)
        record('ok')
        return accept(answer)
      } catch (error) {
        const { code, hint, message } = toClientError(error)
        record(code)
        const kind = REFUSALS.has(code) ? 'refused' : 'unavailable'
        return refuse({ kind, reason: code, message, hint })
      }
    }

    return {
      calls,
      quote: async (units) =>
        call('quote', async (idempotencyKey) =>
          billing.quote.mutate({ service: 'research.brief', units, idempotencyKey }, scope),
        ),
      hold: async (quoteId) =>
        call('hold', async (idempotencyKey) =>
          billing.hold.mutate({ quoteId, reference: jobId, idempotencyKey }, scope),
        ),
      capture: async (holdId, amountMinor) =>
        call('capture', async (idempotencyKey) =>
          billing.capture.mutate({ holdId, amountMinor, idempotencyKey }, scope),
        ),
      release: async (holdId) =>
        call('release', async (idempotencyKey) =>
          billing.release.mutate({ holdId, idempotencyKey }, scope),
        ),
    }
  }
}
