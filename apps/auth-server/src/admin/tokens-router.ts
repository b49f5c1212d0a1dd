import { AgentId } from '@deputy/auth/protocol'
import { agentRouter } from '@deputy/auth/trpc'
import * as z from 'zod'
import { MAX_ACCESS_TOKEN_TTL_SECONDS } from '../agents/agent.ts'
import type { AdminDeps } from './admin-deps.ts'
import type { AdminProcedure } from './admin-procedure.ts'
import { denyToken } from '../revocation/deny.ts'
import { findIssuedToken } from '../revocation/find-issued-token.ts'
import { agentUnknown, tokenUnknown } from './refusals.ts'

/** `tokens.*`: access tokens that were handed out. */
export function createTokensRouter({ clock, storage }: AdminDeps, procedure: AdminProcedure) {
  return agentRouter({
    revoke: procedure('tokens:revoke')
      .input(
        z.object({
          agentId: AgentId.describe('the agent that the token was issued to'),
          tokenId: z
            .string()
            .min(1)
            .max(64)
            .describe("the token's jti, as logs and the audit trail name it"),
        }),
      )
      .output(z.object({ revoked: z.boolean().describe('false when it was revoked before') }))
      .mutation(async ({ ctx: { administrator }, input: { agentId, tokenId } }) => {
        const now = clock.now()
        const { within } = administrator
        const agent = await storage.agents.find({ id: agentId, within })
        if (agent === undefined) throw agentUnknown(agentId)
        // Attack prevented: ending another tenant's token in the name of one's own agent.
        const issued = await findIssuedToken(storage.audit, { agentId, tokenId, within }, clock)
        if (issued === undefined) throw tokenUnknown(tokenId)
        return administrator.act(async (stores, note) => {
          // The token itself is not at hand: none of today lives longer than this.
          const expiresAt = now + MAX_ACCESS_TOKEN_TTL_SECONDS
          const revoked = await denyToken(stores, { jti: tokenId, expiresAt }, now)
          if (revoked) {
            note({
              event: 'token.revoked',
              ownerId: agent.ownerId,
              subjectId: agentId,
              target: { kind: 'access_token', id: tokenId },
            })
          }
          return { revoked }
        })
      }),
  })
}
