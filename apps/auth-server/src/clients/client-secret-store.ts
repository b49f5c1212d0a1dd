import type { EpochSeconds } from '@deputy/auth/protocol'
import type { CredentialRecord, CredentialAt, Supersession } from '../credentials/credential.ts'
import type { Tenancy } from '../owners/tenancy.ts'

/** A client secret without the secret: only its SHA-256 is kept, and never leaves the store's users. */
export type ClientSecretRecord = CredentialRecord & { readonly secretHash: Uint8Array }

/** Where client secrets are kept. What a method answers is on disk. */
export type ClientSecretStore = {
  insert(secret: ClientSecretRecord): Promise<void>
  find(at: CredentialAt): Promise<ClientSecretRecord | undefined>
  /** Newest first. */
  listByAgent(agentId: string, within: Tenancy): Promise<readonly ClientSecretRecord[]>
  /** Ends a secret; again changes nothing. Answers `undefined` when there is none. */
  deactivate(at: CredentialAt, now: EpochSeconds): Promise<ClientSecretRecord | undefined>
  /** Names the successor of a secret and when it ends; only of one that has no successor yet. */
  supersede(id: string, by: Supersession): Promise<boolean>
}
