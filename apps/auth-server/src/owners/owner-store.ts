import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Owner, OwnerId } from './owner.ts'
import type { Tenancy } from './tenancy.ts'

/** Where owners are kept. What a method answers is on disk. */
export type OwnerStore = {
  /** Answers `false`, changing nothing, when the id is taken. */
  insert(owner: Owner): Promise<boolean>
  find(id: OwnerId): Promise<Owner | undefined>
  /**
   * Whether it is there and active. In a transaction nobody ends it before that transaction has: what is made
   * for it is made before its end, which then ends it too.
   */
  hold(id: OwnerId): Promise<boolean>
  /** Answers the owner as it is then, or `undefined` when there is none. */
  rename(id: OwnerId, name: string): Promise<Owner | undefined>
  /** Ends an owner; again changes nothing. Answers the owner, or `undefined` when there is none. */
  deactivate(id: OwnerId, now: EpochSeconds): Promise<Owner | undefined>
  /** In order of ids, at most `limit`, beginning after `afterId`. */
  list(page: {
    readonly within: Tenancy
    readonly limit: number
    readonly afterId?: string | undefined
  }): Promise<readonly Owner[]>
}
