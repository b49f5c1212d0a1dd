import type { Owner, OwnerId } from './owner.ts'
import type { Tenancy } from './tenancy.ts'

/** Where owners are kept. What a method answers is on disk. */
export type OwnerStore = {
  /** Answers `false`, changing nothing, when the id is taken. */
  insert(owner: Owner): Promise<boolean>
  find(id: OwnerId): Promise<Owner | undefined>
  /** In order of ids, at most `limit`, beginning after `afterId`. */
  list(page: {
    readonly within: Tenancy
    readonly limit: number
    readonly afterId?: string | undefined
  }): Promise<readonly Owner[]>
}
