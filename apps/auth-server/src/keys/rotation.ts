import type { EpochSeconds, Result } from '@deputy/auth/protocol'
import type { AuditEvent } from '../audit/audit-event.ts'
import { SYSTEM_OWNER_ID } from '../owners/owner.ts'
import type { SigningKeyStore } from './signing-key-store.ts'

export type RotateOptions = {
  /**
   * For keys that somebody else may have. The active key, the next one and all retired ones are
   * thrown away, since who got at one may have got at each, and a new key signs at once. Every token
   * that is out is refused: here from now on, at other servers on the same store and at verifiers as soon
   * as the feed has told them, without it once they reload (30 s) or the JWKS that they keep ends. The new
   * key was not published before it signs, so a verifier that follows no feed and does not fetch the JWKS
   * again for an unknown `kid` refuses new tokens until its copy ends. Default `false`.
   */
  readonly immediately?: boolean | undefined
  /** Default: nothing is written down. */
  readonly commit?: CommitRotation | undefined
}

/** Which key signs now, and which one will. */
export type Rotated = {
  readonly activeKid: string
  readonly nextKid: string
  /** The one that signed before; gone, and not just retired, after `immediately`. */
  readonly formerKid: string
}

export type RotationRefusal =
  /** Verifiers may not know the next key yet. */
  | { readonly reason: 'next_key_not_ready'; readonly readyAt: EpochSeconds }
  /** Another server, or another operator, rotated at the same moment. */
  | { readonly reason: 'rotated_meanwhile' }

export type RotationResult = Result<Rotated, RotationRefusal>

/** What the audit trail says of a rotation. */
export function describeRotation({ activeKid, formerKid }: Rotated) {
  return {
    event: 'signing_key.rotated',
    outcome: 'success',
    ownerId: SYSTEM_OWNER_ID,
    target: { kind: 'signing_key', id: activeKid },
    details: { formerKid },
  } as const satisfies AuditEvent
}

/**
 * Carries out a rotation in one commit with what is written down of it. `change` answers `false`, having changed nothing,
 * when another server was faster: then nothing is written down, and this answers `false` too.
 */
export type CommitRotation = (
  change: (store: SigningKeyStore) => Promise<boolean>,
  rotated: Rotated,
) => Promise<boolean>
