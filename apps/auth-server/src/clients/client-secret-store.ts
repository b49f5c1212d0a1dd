import type { EpochSeconds } from '@deputy/auth/protocol'

/** A client secret without the secret: only its SHA-256 is kept, and never leaves the store's users. */
export type ClientSecretRecord = {
  readonly id: string
  readonly agentId: string
  readonly secretHash: Uint8Array
  readonly createdAt: EpochSeconds
  readonly expiresAt: EpochSeconds | undefined
  readonly deactivatedAt: EpochSeconds | undefined
  /** Written at most once a minute. */
  readonly lastUsedAt: EpochSeconds | undefined
}

/** Where client secrets are kept. What a method answers is on disk. */
export type ClientSecretStore = {
  insert(secret: ClientSecretRecord): Promise<void>
  /** Newest first. */
  listByAgent(agentId: string): Promise<readonly ClientSecretRecord[]>
  /** Ends a secret; again changes nothing. Answers `undefined` when there is none. */
  deactivate(id: string, now: EpochSeconds): Promise<ClientSecretRecord | undefined>
  /** Notes a use, unless one within the last minute is noted. */
  touch(id: string, now: EpochSeconds): Promise<void>
}
