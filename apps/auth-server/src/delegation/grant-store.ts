import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Tenancy } from '../owners/tenancy.ts'
import type { GrantNode } from './grant-node.ts'

/** A grant, seen by somebody. */
export type GrantAt = { readonly id: string; readonly within: Tenancy }

export type ListTaskGrants = {
  readonly within: Tenancy
  readonly limit: number
  /** Only those that come after this id. */
  readonly afterId?: string | undefined
  readonly agentId?: string | undefined
  readonly openedBy?: string | undefined
}

/** The tree of grants. What a method answers is on disk. */
export type GrantStore = {
  insert(node: GrantNode): Promise<void>
  find(at: GrantAt): Promise<GrantNode | undefined>
  /** Task grants in the order of their ids. */
  listTasks(request: ListTaskGrants): Promise<readonly GrantNode[]>
  /** What has not expired and stands on the id: itself, and all below it; parents before children. */
  listStandingOn(id: string, options: LiveOptions): Promise<readonly GrantNode[]>
  /** What has not expired and was obtained with the credential. */
  listByCredential(credentialId: string, options: LiveOptions): Promise<readonly GrantNode[]>
  /** What has not expired and the agent holds, acts or acted in, or opened. */
  listByAgent(agentId: string, options: LiveOptions): Promise<readonly GrantNode[]>
  /** Answers `false`, changing nothing, for one that is unknown or revoked already. */
  markRevoked(at: GrantAt, now: EpochSeconds): Promise<boolean>
  /** Forgets what expired before the moment, and answers how many. */
  prune(before: EpochSeconds): Promise<number>
}

export type LiveOptions = { readonly now: EpochSeconds; readonly limit: number }
