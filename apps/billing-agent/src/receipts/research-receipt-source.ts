import { toClientError, type AgentClient } from '@deputy/client'
import { BILLING_AGENT_ID } from '@deputy/contracts/billing'
import { RESEARCH_AGENT_ID, type ResearchRouter } from '@deputy/contracts/research'
import type { ReceiptSource } from './receipt-source.ts'

/** What billing needs of research. */
export const RECEIPT_SCOPES = ['research:read']

/** Creates the source that asks the research agent (`research.receipt`). */
export function createResearchReceiptSource(client: AgentClient<ResearchRouter>): ReceiptSource {
  return async (reference) => {
    const startedMs = performance.now()
    const record = (outcome: string) => ({
      from: BILLING_AGENT_ID,
      to: RESEARCH_AGENT_ID,
      procedure: 'research.receipt',
      scopes: RECEIPT_SCOPES,
      outcome,
      durationMs: performance.now() - startedMs,
    })
    try {
      const receipt = await client.research.receipt.query({ jobId: reference })
      return { ok: true, receipt, call: record('ok') }
    } catch (error) {
      const { code, message } = toClientError(error)
      return { ok: false, reason: code, message, call: record(code) }
    }
  }
}
