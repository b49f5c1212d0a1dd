// Tokens that let their holder register clients (RFC 7591 §3): what each of them may become is decided
// when the token is made, and counted when it is used.
import { createAgentSecret, type EpochSeconds } from '@deputy/auth/protocol'
import { randomUUID } from 'node:crypto'
import type { OwnerId } from '../owners/owner.ts'
import type { Tenancy } from '../owners/tenancy.ts'
import { hashSecret } from '../secret-hash.ts'

/** An initial access token without the token: only its SHA-256 is kept. */
export type InitialAccessTokenRecord = {
  readonly id: string
  /** Whose agents the clients become. */
  readonly ownerId: OwnerId
  readonly label: string
  /** What a registered agent may have at most. */
  readonly scopes: readonly string[]
  /** The agents that a registered one may call. */
  readonly audiences: readonly string[]
  readonly maxRegistrations: number
  readonly registrations: number
  readonly tokenHash: Uint8Array
  readonly createdAt: EpochSeconds
  readonly expiresAt: EpochSeconds
  readonly deactivatedAt: EpochSeconds | undefined
}

/** Where initial access tokens are kept. What a method answers is on disk. */
export type InitialAccessTokenStore = {
  insert(token: InitialAccessTokenRecord): Promise<void>
  findByHash(tokenHash: Uint8Array): Promise<InitialAccessTokenRecord | undefined>
  /** Newest first. */
  list(within: Tenancy): Promise<readonly InitialAccessTokenRecord[]>
  /** Takes one registration; `false` when the token is used up, over or deactivated. */
  consume(id: string, now: EpochSeconds): Promise<boolean>
  /** Ends a token. One that has ended keeps its time, and is not new. Answers `undefined` when there is none. */
  deactivate(
    at: { readonly id: string; readonly within: Tenancy },
    now: EpochSeconds,
  ): Promise<{ readonly record: InitialAccessTokenRecord; readonly isNew: boolean } | undefined>
}

export type NewInitialAccessTokenOptions = Pick<
  InitialAccessTokenRecord,
  'ownerId' | 'label' | 'scopes' | 'audiences' | 'maxRegistrations' | 'expiresAt'
> & { readonly now: EpochSeconds }

/** Makes a token: the record to keep, and the text to show once. Nothing is stored yet. */
export function createInitialAccessToken(options: NewInitialAccessTokenOptions): {
  readonly record: InitialAccessTokenRecord
  readonly token: string
} {
  const { now, ...settings } = options
  const token = createAgentSecret('initialAccessToken')
  const record = {
    ...settings,
    id: randomUUID(),
    registrations: 0,
    tokenHash: hashSecret(token),
    createdAt: now,
    deactivatedAt: undefined,
  }
  return { record, token }
}
