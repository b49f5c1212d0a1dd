import type { EpochSeconds } from '@deputy/auth/protocol'

/**
 * What is denied: `grant` is any id of a grant path (a token's `jti`, a task grant, a credential) with
 * all that stands on it; `agent` is whatever an agent holds, acts with, or has acted with.
 */
export type Denial = {
  readonly kind: 'grant' | 'agent'
  readonly id: string
  /** When the last of what it denies would have ended anyway: it need not be remembered any more. */
  readonly expiresAt: EpochSeconds
}

/** Where something is in the feed. Numbers ascend in the order in which the entries came to be seen. */
type InFeed = { readonly seq: number; readonly revokedAt: EpochSeconds }

/** A denial in the feed. */
export type Revocation = Denial & InFeed

/**
 * An agent, or an API key, by its id, is not what it was: nobody is denied, but what verifiers remember of it is
 * void. It need not be told any more after `expiresAt`, when nobody remembers what came before.
 */
export type Change = Omit<Denial, 'kind'> & { readonly kind: 'change' }

/** What the feed tells. */
export type FeedEntry = Revocation | (Change & InFeed)

/** Where a token stands: the ids of its grant path, and the agents of its chain. */
export type Standing = {
  readonly grantIds: readonly string[]
  readonly agentIds: readonly string[]
}

/** How far the feed has come. */
export type FeedHead = {
  /** Names the feed of this database: numbers of another one mean nothing here. */
  readonly feedId: string
  readonly seq: number
}

/** What was revoked, as a feed. What a method answers is on disk. */
export type RevocationStore = {
  /** Answers `false`, changing nothing, for what is denied for as long already. */
  insert(denial: Denial, revokedAt: EpochSeconds): Promise<boolean>
  /** Tells of a change; of each one anew, however often the same thing changes. */
  insertChange(change: Change, changedAt: EpochSeconds): Promise<void>
  /**
   * Lets nothing be denied until the transaction ends. What is looked up after it is true of what the transaction
   * writes, also where several servers write at once.
   */
  hold(): Promise<void>
  /** The first thing that denies the token, if any. */
  findDenial(standing: Standing): Promise<Revocation | undefined>
  /** The entries after a number, in order. */
  listAfter(seq: number, limit: number): Promise<readonly FeedEntry[]>
  head(): Promise<FeedHead>
  /** Names the feed anew, so that whoever followed it is told everything from the start. */
  renameFeed(): Promise<void>
  /** Forgets what has expired, and answers how many. */
  prune(now: EpochSeconds): Promise<number>
}
