import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Agent, AgentChanges } from './agent.ts'

/** Where agents are kept. What a method answers is on disk. */
export type AgentStore = {
  /** Answers `false`, changing nothing, when the id is taken. */
  insert(agent: Agent): Promise<boolean>
  find(id: string): Promise<Agent | undefined>
  /** By id, in order of ids, at most `limit`, beginning after `afterId`. */
  list(page: {
    readonly limit: number
    readonly afterId?: string | undefined
  }): Promise<readonly Agent[]>
  /** Answers the agent as it is then, or `undefined` when there is none. */
  update(id: string, changes: AgentChanges): Promise<Agent | undefined>
  /** Ends an agent; again changes nothing. Answers the agent, or `undefined` when there is none. */
  deactivate(id: string, now: EpochSeconds): Promise<Agent | undefined>
}
