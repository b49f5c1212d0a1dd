import type { Clock, EpochSeconds } from '@deputy/auth/protocol'
import type { Call } from '@deputy/contracts/call'
import { randomUUID } from 'node:crypto'
import type { RunOnce } from './idempotency/run-once.ts'
import type { Posting } from './ledger/ledger-store.ts'
import type { Entry } from './ledger/posting.ts'
import type { ReceiptSource } from './receipts/receipt-source.ts'
import type { BillingStorage } from './storage/open-storage.ts'

/** What the procedures work with. */
export type ServiceDeps = {
  readonly storage: BillingStorage
  readonly runOnce: RunOnce
  readonly receipts: ReceiptSource
  readonly clock: Clock
}

export type Movement = {
  readonly procedure: string
  readonly createdAt: EpochSeconds
  readonly currency: string
  readonly entries: readonly Entry[]
}

/** The posting of a movement, with who caused it. */
export function toPosting({ principal }: Call, movement: Movement): Posting {
  return {
    id: randomUUID(),
    agentId: principal.agentId,
    subject: principal.subject,
    credentialId: principal.credential.id,
    ...movement,
  }
}
