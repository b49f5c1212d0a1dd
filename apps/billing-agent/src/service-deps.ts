import type { Clock, EpochSeconds } from '@deputy/auth/protocol'
import type { Call } from '@deputy/contracts/call'
import { createId } from '@deputy/storage'
import { hash } from 'node:crypto'
import type { RunOnce } from './idempotency/run-once.ts'
import { grantOf, ownerOf } from './owners/owner.ts'
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
  readonly holdId?: string | undefined
  readonly refersTo?: string | undefined
  /** Whose book it stands in. Default: the caller's organisation. */
  readonly ownerId?: string | undefined
}

/** Who did something, so that ledger, audit trail and trace join. Never the credential itself. */
export type Provenance = Pick<
  Posting,
  'agentId' | 'subject' | 'credentialId' | 'tokenSha256' | 'grantId' | 'traceId'
>

/** Tells who called. */
export function provenanceOf({ principal, traceId }: Call): Provenance {
  const { credential } = principal
  return {
    agentId: principal.agentId,
    subject: principal.subject,
    credentialId: credential.id,
    tokenSha256: credential.kind === 'access_token' ? hash('sha256', credential.id) : undefined,
    grantId: grantOf(principal),
    traceId,
  }
}

/** The posting of a movement, with who caused it. */
export function toPosting(call: Call, movement: Movement): Posting {
  return {
    id: createId(movement.createdAt),
    ...provenanceOf(call),
    ...movement,
    ownerId: movement.ownerId ?? ownerOf(call.principal),
  }
}
