import type { EpochSeconds, PublicJwk } from '@deputy/auth/protocol'
import type { CredentialAt, CredentialRecord, Supersession } from '../credentials/credential.ts'
import type { Tenancy } from '../owners/tenancy.ts'

/** A public key of an agent, with which it signs client assertions (RFC 7523 §2.2). */
export type ClientKeyRecord = CredentialRecord & {
  /** Names the key in the header of an assertion: the JWK's own `kid`, or its thumbprint (RFC 7638). */
  readonly kid: string
  readonly publicJwk: PublicJwk
}

/** Which keys an assertion may be signed with. */
export type LiveClientKeys = {
  readonly agentId: string
  /** Left out, keys of any name. */
  readonly kid: string | undefined
  readonly now: EpochSeconds
  readonly limit: number
}

/** Where the public keys of clients are kept. What a method answers is on disk. */
export type ClientKeyStore = {
  insert(key: ClientKeyRecord): Promise<void>
  find(at: CredentialAt): Promise<ClientKeyRecord | undefined>
  /** Newest first. */
  listByAgent(agentId: string, within: Tenancy): Promise<readonly ClientKeyRecord[]>
  /** Those that count at this time, newest first. */
  listLive(request: LiveClientKeys): Promise<readonly ClientKeyRecord[]>
  /** Ends a key; again changes nothing. Answers `undefined` when there is none. */
  deactivate(at: CredentialAt, now: EpochSeconds): Promise<ClientKeyRecord | undefined>
  /** Names the successor of a key and when it ends; only of one that has no successor yet. */
  supersede(id: string, by: Supersession): Promise<boolean>
}
