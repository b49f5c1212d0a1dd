// What client secrets, public keys and API keys have in common.
import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Tenancy } from '../owners/tenancy.ts'

/** A credential of an agent, of whatever kind. */
export type CredentialRecord = {
  readonly id: string
  readonly agentId: string
  readonly label: string
  readonly createdAt: EpochSeconds
  readonly expiresAt: EpochSeconds | undefined
  readonly deactivatedAt: EpochSeconds | undefined
  /** Written at most once a minute. */
  readonly lastUsedAt: EpochSeconds | undefined
  /** The credential that took its place in a rotation. */
  readonly supersededBy: string | undefined
}

/** One credential, as far as it may be seen: one of another owner's agent is not there. */
export type CredentialAt = { readonly id: string; readonly within: Tenancy }

/** What a rotation does to the old credential. */
export type Supersession = {
  readonly supersededBy: string
  /** When the overlap is over. */
  readonly expiresAt: EpochSeconds
}

/** Whether a credential counts at this time. It is over at the second of its expiry. */
export function isLive(
  record: Pick<CredentialRecord, 'expiresAt' | 'deactivatedAt'>,
  now: EpochSeconds,
): boolean {
  return (
    record.deactivatedAt === undefined && (record.expiresAt === undefined || record.expiresAt > now)
  )
}
