import type { Clock } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import type { Agent } from '../agents/agent.ts'
import type { Storage } from '../storage/open-storage.ts'
import { agentInactive, agentUnknown } from './refusals.ts'

/** What the admin procedures work with. */
export type AdminDeps = {
  readonly storage: Pick<Storage, 'agents' | 'clientSecrets' | 'apiKeys'>
  readonly clock: Clock
  readonly logger: Logger
}

/** The agent, or a refusal to the caller when it is unknown or inactive. */
export async function findActiveAgent({ storage }: AdminDeps, id: string): Promise<Agent> {
  const agent = await storage.agents.find(id)
  if (agent === undefined) throw agentUnknown(id)
  if (agent.state !== 'active') throw agentInactive(id)
  return agent
}
