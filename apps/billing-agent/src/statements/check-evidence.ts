import { accept, refuse, type Result } from '@deputy/auth/protocol'
import type { StatementLine } from '@deputy/contracts/billing'
import type { Receipt } from '@deputy/contracts/research'
import type { HoldRecord } from '../holds/hold-store.ts'

/** Checks that a receipt is about this capture, to the cent. Pure. */
export function checkEvidence(
  hold: HoldRecord,
  receipt: Receipt,
): Result<StatementLine, { readonly reason: 'evidence_mismatch'; readonly detail: string }> {
  const { amount, capturedMinor, endedAt, holdId, reference } = hold
  const faults = [
    receipt.jobId === reference ? '' : `it is about ${receipt.jobId}`,
    receipt.holdId === holdId ? '' : 'it is about another hold',
    receipt.cost.currency === amount.currency ? '' : `it is in ${receipt.cost.currency}`,
    receipt.cost.amountMinor === capturedMinor
      ? ''
      : `it says ${String(receipt.cost.amountMinor)}, captured were ${String(capturedMinor)}`,
  ].filter((fault) => fault !== '')
  if (faults.length > 0 || endedAt === undefined) {
    return refuse({
      reason: 'evidence_mismatch',
      detail: faults.join(', ') || 'nothing was captured',
    })
  }
  return accept({
    holdId,
    reference,
    amountMinor: capturedMinor,
    capturedAt: endedAt,
    evidence: {
      briefSha256: receipt.briefSha256,
      sentences: receipt.sentences,
      documents: receipt.documents.length,
      completedAt: receipt.completedAt,
    },
  })
}
