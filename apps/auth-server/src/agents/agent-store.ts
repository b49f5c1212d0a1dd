import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Tenancy } from '../owners/tenancy.ts'
import type { Agent, AgentChanges } from './agent.ts'

/** One agent, as far as it may be seen: an agent of another owner is one that is not there. */
export type AgentAt = { readonly id: string; readonly within: Tenancy }

/** Where agents are kept. What a method answers is on disk. */
export type AgentStore = {
  /** Answers `false`, changing nothing, when the id is taken: ids are one space for all owners. */
  insert(agent: Agent): Promise<boolean>
  find(at: AgentAt): Promise<Agent | undefined>
  /** In order of ids, at most `limit`, beginning after `afterId`. */
  list(page: {
    readonly within: Tenancy
    readonly limit: number
    readonly afterId?: string | undefined
  }): Promise<readonly Agent[]>
  /** Answers the agent as it is then, or `undefined` when there is none. */
  update(at: AgentAt, changes: AgentChanges): Promise<Agent | undefined>
  /** Ends an agent; again changes nothing. Answers the agent, or `undefined` when there is none. */
  deactivate(at: AgentAt, now: EpochSeconds): Promise<Agent | undefined>
}
