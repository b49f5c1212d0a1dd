import type { EpochSeconds } from '@deputy/auth/protocol'
import type { CredentialAt, CredentialRecord, Supersession } from '../credentials/credential.ts'
import type { Tenancy } from '../owners/tenancy.ts'

/** An API key without the key: only its SHA-256 is kept. */
export type ApiKeyRecord = CredentialRecord & {
  readonly scopes: readonly string[]
  /** In place of its agent's, when set. */
  readonly rateLimitTier: string | undefined
  readonly keyHash: Uint8Array
}

/** Where API keys are kept. What a method answers is on disk. */
export type ApiKeyStore = {
  insert(key: ApiKeyRecord): Promise<void>
  /** Whoever's it is: the key itself is the proof. */
  findByHash(keyHash: Uint8Array): Promise<ApiKeyRecord | undefined>
  find(at: CredentialAt): Promise<ApiKeyRecord | undefined>
  /** Newest first. */
  listByAgent(agentId: string, within: Tenancy): Promise<readonly ApiKeyRecord[]>
  /** Ends a key; again changes nothing. Answers `undefined` when there is none. */
  deactivate(at: CredentialAt, now: EpochSeconds): Promise<ApiKeyRecord | undefined>
  /** Names the successor of a key and when it ends; only of one that has no successor yet. */
  supersede(id: string, by: Supersession): Promise<boolean>
}
