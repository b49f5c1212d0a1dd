import { AgentId, ReachAnswer } from '@deputy/auth/protocol'
import { agentRouter } from '@deputy/auth/trpc'
import * as z from 'zod'
import type { Tenancy } from '../owners/tenancy.ts'
import { findIssuedToken } from '../revocation/find-issued-token.ts'
import { previewRevocation, type PreviewTarget } from '../revocation/preview.ts'
import type { AdminDeps } from './admin-deps.ts'
import type { AdminProcedure } from './admin-procedure.ts'
import { agentUnknown, grantUnknown, tokenUnknown } from './refusals.ts'

const Id = z.string().min(1).max(64)

/** What would be revoked, named as the procedures name it that would do it. */
const PreviewInput = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('grant'), grantId: Id }),
  z.object({ kind: z.literal('token'), agentId: AgentId, tokenId: Id }),
  z.object({ kind: z.literal('credential'), agentId: AgentId, credentialId: Id }),
  z.object({ kind: z.literal('agent'), agentId: AgentId }),
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

  async function findTarget(input: PreviewInput, within: Tenancy): Promise<PreviewTarget> {
    if (input.kind === 'grant') {
      const node = await storage.grants.find({ id: input.grantId, within })
      if (node === undefined) throw grantUnknown(input.grantId)
      return { kind: 'grant', node }
    }
    const agent = await storage.agents.find({ id: input.agentId, within })
    if (agent === undefined) throw agentUnknown(input.agentId)
    if (input.kind !== 'token') return { ...input, agent }
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
