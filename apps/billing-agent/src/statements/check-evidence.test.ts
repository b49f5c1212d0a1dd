import { expect, test } from 'vitest'
import { receiptFor } from '../../test-support/billing-world.ts'
import type { HoldRecord } from '../holds/hold-store.ts'
import { checkEvidence } from './check-evidence.ts'

const HOLD: HoldRecord = {
  holdId: 'hold-1',
  quoteId: 'quote-1',
  reference: 'job-1',
  state: 'captured',
  amount: { amountMinor: 20, currency: 'USD' },
  capturedMinor: 15,
  expiresAt: 100,
  ownerId: 'system',
  isExpired: false,
  account: 'agent-alice-v1',
  service: 'research.brief',
  createdAt: 1,
  endedAt: 50,
}

test('a receipt that fits becomes the line with its evidence', () => {
  const receipt = receiptFor(HOLD, {
    documents: ['a.md', 'b.md'].map((file) => ({ file, sha256: 'f'.repeat(64) })),
    completedAt: 40,
  })

  expect(checkEvidence(HOLD, receipt)).toEqual({
    ok: true,
    value: {
      holdId: 'hold-1',
      reference: 'job-1',
      amountMinor: 15,
      capturedAt: 50,
      evidence: { briefSha256: 'e'.repeat(64), sentences: 2, documents: 2, completedAt: 40 },
    },
  })
})

test('a receipt over what was held, and not over what was captured, does not fit', () => {
  const receipt = receiptFor(HOLD, { cost: HOLD.amount })

  expect(checkEvidence(HOLD, receipt)).toMatchObject({
    refusal: { reason: 'evidence_mismatch', detail: 'it says 20, captured were 15' },
  })
})

test('everything that does not fit is named', () => {
  const receipt = receiptFor(HOLD, {
    jobId: 'job-2',
    holdId: 'hold-2',
    cost: { amountMinor: 16, currency: 'EUR' },
  })

  expect(checkEvidence(HOLD, receipt)).toMatchObject({
    refusal: {
      detail:
        'it is about job-2, it is about another hold, it is in EUR, it says 16, captured were 15',
    },
  })
})

test('there is no evidence for a hold that is still open', () => {
  const open: HoldRecord = { ...HOLD, state: 'held', capturedMinor: 0, endedAt: undefined }

  expect(checkEvidence(open, receiptFor(open))).toMatchObject({
    ok: false,
    refusal: { reason: 'evidence_mismatch', detail: 'nothing was captured' },
  })
})
