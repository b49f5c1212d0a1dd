import { toClientError, withinCall, type ActFor, type ContractClient } from '@deputy/client'
import { BILLING_AGENT_ID } from '@deputy/contracts/billing'
import { research, RESEARCH_AGENT_ID, type ResearchRouter } from '@deputy/contracts/research'
import type { ReceiptSource } from './receipt-source.ts'

/** What billing needs of research. */
export const RECEIPT_SCOPE = 'research:read'

export type ResearchReceiptOptions = {
  /** Calls as billing itself. */
  readonly own: ContractClient<ResearchRouter, typeof RECEIPT_SCOPE>
  /** Acts for whoever called billing. */
  readonly actFor: ActFor
}

/**
 * Creates the source that asks the research agent (`research.receipt`). Where the caller handed on the
 * scope that it takes, billing acts for the caller, with that scope alone; otherwise for itself.
 */
export function createResearchReceiptSource(options: ResearchReceiptOptions): ReceiptSource {
  return async (reference, call, holdId) => {
    const { principal, subjectToken } = call
    const startedMs = performance.now()
    const isHandedOn = subjectToken !== undefined && principal.scopes.includes(RECEIPT_SCOPE)
    const record = (outcome: string) => ({
      from: BILLING_AGENT_ID,
      to: RESEARCH_AGENT_ID,
      procedure: 'research.receipt',
      scopes: [RECEIPT_SCOPE],
      ...(isHandedOn ? { subject: principal.subject } : {}),
      outcome,
      durationMs: performance.now() - startedMs,
    })
    try {
      const client = isHandedOn
        ? options.actFor(call).client(research, { scopes: [RECEIPT_SCOPE] })
        : options.own
      const input = { jobId: reference, holdId }
      const receipt = await client.research.receipt.query(input, withinCall(call))
      return { ok: true, receipt, call: record('ok') }
    } catch (error) {
      const { code, message } = toClientError(error)
      return { ok: false, reason: code, message, call: record(code) }
    }
  }
}
