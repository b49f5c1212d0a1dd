import { AgentId, ReachAnswer } from '@deputy/auth/protocol'
import { agentRouter } from '@deputy/auth/trpc'
import * as z from 'zod'
import type { Agent } from '../agents/agent.ts'
import { OwnerId } from '../owners/owner.ts'
import { EVERY_OWNER, type Tenancy } from '../owners/tenancy.ts'
import { findIssuedToken } from '../revocation/find-issued-token.ts'
import { previewRevocation, type PreviewTarget } from '../revocation/preview.ts'
import type { AdminDeps } from './admin-deps.ts'
import type { AdminProcedure } from './admin-procedure.ts'
import { agentUnknown, grantUnknown, ownerUnknown, tokenUnknown } from './refusals.ts'

const Id = z.string().min(1).max(64)

/** Agents of one owner that are looked at, about. */
const MAX_AGENTS = 1000

/** What would be revoked, named as the procedures name it that would do it. */
const PreviewInput = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('grant'), grantId: Id }),
  z.object({ kind: z.literal('token'), agentId: AgentId, tokenId: Id }),
  z.object({ kind: z.literal('credential'), agentId: AgentId, credentialId: Id }),
  z.object({ kind: z.literal('agent'), agentId: AgentId }),
  z.object({ kind: z.literal('owner'), ownerId: OwnerId }),
])
type PreviewInput = z.infer<typeof PreviewInput>

const Preview = z.object({
  agents: z.array(AgentId).describe('who holds, or acts with, something that would end'),
  liveTokens: z.int(),
  derivedGrants: z.int().describe('task grants, and tokens that came from other ones'),
  verifiers: z.array(
    z.object({
      agentId: AgentId,
      isConnected: z.boolean().describe('follows the feed of this instance right now'),
      noticesWithinSeconds: z
        .int()
        .describe('of one that is not connected, by the default policy; see SECURITY.md'),
      open: z
        .int()
        .optional()
        .describe('calls, streams and sockets that would end there; left out where it did not say'),
      held: ReachAnswer.shape.held
        .unwrap()
        .optional()
        .describe('money held there below what would end; left out where it did not say'),
    }),
  ),
  endsAt: z.int().optional().describe('when the last of it would end by itself'),
  isComplete: z.boolean().describe('false when there was too much to count'),
})

/** `revocations.*`: what an act of revocation would come to, before it is done. */
export function createRevocationsRouter(deps: AdminDeps, procedure: AdminProcedure) {
  const { clock, storage } = deps

  /** The agents that would end with their owner. */
  async function findOwnersAgents(ownerId: OwnerId, within: Tenancy): Promise<PreviewTarget> {
    const isVisible = within === EVERY_OWNER || within === ownerId
    const owner = isVisible ? await storage.owners.find(ownerId) : undefined
    if (owner === undefined) throw ownerUnknown(ownerId)
    const agents: Agent[] = []
    let afterId: string | undefined
    do {
      const page = await storage.agents.list({ within: ownerId, limit: 200, afterId })
      agents.push(...page.filter(({ state }) => state === 'active'))
      afterId = page.length < 200 ? undefined : page.at(-1)?.id
    } while (afterId !== undefined && agents.length < MAX_AGENTS)
    return { kind: 'agents', agents, isComplete: afterId === undefined }
  }

  async function findTarget(input: PreviewInput, within: Tenancy): Promise<PreviewTarget> {
    if (input.kind === 'grant') {
      const node = await storage.grants.find({ id: input.grantId, within })
      if (node === undefined) throw grantUnknown(input.grantId)
      return { kind: 'grant', node }
    }
    if (input.kind === 'owner') return findOwnersAgents(input.ownerId, within)
    const agent = await storage.agents.find({ id: input.agentId, within })
    if (agent === undefined) throw agentUnknown(input.agentId)
    if (input.kind === 'agent') return { kind: 'agents', agents: [agent], isComplete: true }
    if (input.kind === 'credential') return { ...input, agent }
    const { agentId, tokenId } = input
    const issued = await findIssuedToken(storage.audit, { agentId, tokenId, within }, clock)
    if (issued === undefined) throw tokenUnknown(tokenId)
    const { at, audience, credentialId } = issued
    const expiresAt = at + agent.accessTokenTtlSeconds
    return { kind: 'token', agent, token: { tokenId, audience, credentialId, expiresAt } }
  }

  return agentRouter({
    preview: procedure('grants:read')
      .input(PreviewInput)
      .output(Preview)
      .query(async ({ ctx: { administrator }, input }) => {
        const target = await findTarget(input, administrator.within)
        const preview = await previewRevocation(deps, target)
        const { agents, verifiers, ...rest } = preview
        return { ...rest, agents: [...agents], verifiers: [...verifiers] }
      }),
  })
}
