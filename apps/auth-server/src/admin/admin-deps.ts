import type { Clock } from '@deputy/auth/protocol'
import type { Agent } from '../agents/agent.ts'
import type { AgentAt, AgentStore } from '../agents/agent-store.ts'
import type { UseLog } from '../credentials/use-log.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { OwnerId } from '../owners/owner.ts'
import type { OwnerStore } from '../owners/owner-store.ts'
import type { Verifiers } from '../revocation/verifiers.ts'
import type { Storage } from '../storage/open-storage.ts'
import type { VerifyIssuedToken } from '../tokens/verify-issued-token.ts'
import { agentInactive, agentUnknown, ownerInactive, ownerUnknown } from './refusals.ts'

/** What the admin procedures work with. */
export type AdminDeps = {
  readonly storage: Storage
  readonly keyRing: Pick<KeyRing, 'list' | 'rotate'>
  /** Who would notice a revocation at once. */
  readonly verifiers: Verifiers
  /** Flushed before last uses are shown. */
  readonly credentialUses: UseLog
  /** Reads tokens that are to be explained. */
  readonly verifyToken: VerifyIssuedToken
  readonly clock: Clock
}

/** The agent, or a refusal to the caller when it is unknown or inactive. */
export async function findActiveAgent(agents: AgentStore, at: AgentAt): Promise<Agent> {
  const agent = await agents.find(at)
  if (agent === undefined) throw agentUnknown(at.id)
  if (agent.state !== 'active') throw agentInactive(at.id)
  return agent
}

/** Lets an act go on for an owner that is active; refuses it where the owner is unknown or was ended. */
export async function requireActiveOwner(
  owners: Pick<OwnerStore, 'find' | 'hold'>,
  id: OwnerId,
): Promise<void> {
  if (await owners.hold(id)) return
  throw (await owners.find(id)) === undefined ? ownerUnknown(id) : ownerInactive(id)
}
