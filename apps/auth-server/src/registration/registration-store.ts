import type { EpochSeconds } from '@deputy/auth/protocol'
import type { ClientMetadata } from './client-metadata.ts'

/** A client that registered itself. */
export type RegistrationRecord = {
  readonly agentId: string
  /** Of the registration access token. */
  readonly tokenHash: Uint8Array
  readonly initialAccessTokenId: string
  readonly metadata: ClientMetadata
  readonly createdAt: EpochSeconds
}

/** Where registrations are kept. What a method answers is on disk. */
export type RegistrationStore = {
  insert(registration: RegistrationRecord): Promise<void>
  /** By the token itself, which is the proof. */
  findByHash(tokenHash: Uint8Array): Promise<RegistrationRecord | undefined>
  updateMetadata(agentId: string, metadata: ClientMetadata): Promise<void>
  /** Answers `false` when it was removed before. */
  remove(agentId: string): Promise<boolean>
}
