import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Client } from '../agents/agent.ts'

export type { Client } from '../agents/agent.ts'

/** A client secret that was presented, with the agent whose it is. Live or not: the caller decides. */
export type KnownSecret = {
  readonly agent: Client
  readonly credentialId: string
  readonly expiresAt: EpochSeconds | undefined
  readonly deactivatedAt: EpochSeconds | undefined
}

/** What the OAuth endpoints look up, whoever's it is: few queries, made to be fast. */
export type ClientDirectory = {
  findBySecret(secretHash: Uint8Array): Promise<KnownSecret | undefined>
  find(clientId: string): Promise<Client | undefined>
  /** Those of them that there are, in no order. */
  findMany(clientIds: readonly string[]): Promise<readonly Client[]>
}

/**
 * Counts the changes of agents and secrets that there ever were in a database. What was read at a version
 * is true for as long as the version is the same.
 */
export type AuthorityVersion = number

/** Something that was found, and the version that the database had at that moment. */
export type Versioned<Value> = { readonly value: Value; readonly version: AuthorityVersion }

export type AuthorityChanges = {
  /** The version now: what is not named is as it was. */
  readonly version: AuthorityVersion
  /** `undefined` where it is too long ago to say. */
  readonly agentIds: readonly string[] | undefined
}

/** The same look-ups for who remembers what they find. */
export type VersionedClientDirectory = {
  version(): Promise<AuthorityVersion>
  findBySecret(secretHash: Uint8Array): Promise<Versioned<KnownSecret> | undefined>
  find(clientId: string): Promise<Versioned<Client> | undefined>
  /** Who has changed after a version, or whose secrets have. */
  changesSince(version: AuthorityVersion): Promise<AuthorityChanges>
}
