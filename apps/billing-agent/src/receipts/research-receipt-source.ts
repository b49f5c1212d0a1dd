import type { SubjectToken } from '@deputy/auth/protocol'
import { toClientError, type AgentClient } from '@deputy/client'
import { BILLING_AGENT_ID } from '@deputy/contracts/billing'
import { RESEARCH_AGENT_ID, type ResearchRouter } from '@deputy/contracts/research'
import type { ReceiptSource } from './receipt-source.ts'

/** What billing needs of research. */
export const RECEIPT_SCOPE = 'research:read'

export type ResearchReceiptOptions = {
  /** Calls as billing itself. */
  readonly own: AgentClient<ResearchRouter>
  /** Opens a client that acts for whoever called billing. It holds no connection of its own. */
  actFor(subjectToken: SubjectToken): AgentClient<ResearchRouter>
}

/**
 * Creates the source that asks the research agent (`research.receipt`). Where the caller handed on the
 * scope that it takes, billing acts for the caller, with that scope alone; otherwise for itself.
 */
export function createResearchReceiptSource(options: ResearchReceiptOptions): ReceiptSource {
  // The receipts of one call share one exchanged token.
  const clients = new WeakMap<SubjectToken, AgentClient<ResearchRouter>>()

  function openFor(subjectToken: SubjectToken): AgentClient<ResearchRouter> {
    const open = clients.get(subjectToken) ?? options.actFor(subjectToken)
    clients.set(subjectToken, open)
    return open
  }

  return async (reference, { principal, subjectToken }) => {
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
      const client = isHandedOn ? openFor(subjectToken) : options.own
      const receipt = await client.research.receipt.query({ jobId: reference })
      return { ok: true, receipt, call: record('ok') }
    } catch (error) {
      const { code, message } = toClientError(error)
      return { ok: false, reason: code, message, call: record(code) }
    }
  }
}
