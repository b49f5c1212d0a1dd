import type { EpochSeconds } from '@deputy/auth/protocol'

/** An API key without the key: only its SHA-256 is kept. */
export type ApiKeyRecord = {
  readonly id: string
  readonly agentId: string
  readonly label: string
  readonly scopes: readonly string[]
  readonly keyHash: Uint8Array
  readonly createdAt: EpochSeconds
  readonly expiresAt: EpochSeconds | undefined
  readonly deactivatedAt: EpochSeconds | undefined
  /** Written at most once a minute. */
  readonly lastUsedAt: EpochSeconds | undefined
}

/** Where API keys are kept. What a method answers is on disk. */
export type ApiKeyStore = {
  insert(key: ApiKeyRecord): Promise<void>
  findByHash(keyHash: Uint8Array): Promise<ApiKeyRecord | undefined>
  /** Newest first. */
  listByAgent(agentId: string): Promise<readonly ApiKeyRecord[]>
  /** Ends a key; again changes nothing. Answers `undefined` when there is none. */
  deactivate(id: string, now: EpochSeconds): Promise<ApiKeyRecord | undefined>
  /** Notes a use, unless one within the last minute is noted. */
  touch(id: string, now: EpochSeconds): Promise<void>
}
