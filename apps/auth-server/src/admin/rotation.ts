import type { EpochSeconds } from '@deputy/auth/protocol'
import type { CredentialRecord, Supersession } from '../credentials/credential.ts'
import { isLive } from '../credentials/credential.ts'
import { credentialEnded, expiryInThePast } from './refusals.ts'

export type RotationRequest = {
  readonly old: CredentialRecord
  readonly successorId: string
  readonly overlapSeconds: number
  readonly now: number
}

/**
 * Says what a rotation does to the old credential: it ends when the overlap is over, and never later
 * than it would have. Throws a refusal when it has ended or was rotated before.
 */
export function createSupersession(request: RotationRequest): Supersession {
  const { now, old, overlapSeconds, successorId } = request
  if (!isLive(old, now) || old.supersededBy !== undefined) throw credentialEnded(old.id)
  return {
    supersededBy: successorId,
    expiresAt: Math.min(now + overlapSeconds, old.expiresAt ?? Infinity),
  }
}

/**
 * Says when the successor ends: as asked, or after as long as the old one was given. Who makes credentials that end
 * does not want one that never does. Throws a refusal for a time that has passed.
 */
export function chooseExpiry(
  { createdAt, expiresAt }: CredentialRecord,
  asked: EpochSeconds | undefined,
  now: EpochSeconds,
): EpochSeconds | undefined {
  if (asked !== undefined && asked <= now) throw expiryInThePast()
  return asked ?? (expiresAt === undefined ? undefined : now + expiresAt - createdAt)
}
