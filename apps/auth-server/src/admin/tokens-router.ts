import { AgentId } from '@deputy/auth/protocol'
import { agentRouter } from '@deputy/auth/trpc'
import * as z from 'zod'
import { MAX_ACCESS_TOKEN_TTL_SECONDS } from '../agents/agent.ts'
import type { AdminDeps } from './admin-deps.ts'
import type { AdminProcedure } from './admin-procedure.ts'
import { agentUnknown } from './refusals.ts'

/** `tokens.*`: access tokens that were handed out. */
export function createTokensRouter({ clock }: AdminDeps, procedure: AdminProcedure) {
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
        return administrator.act(async (stores, note) => {
          const agent = await stores.agents.find({ id: agentId, within: administrator.within })
          if (agent === undefined) throw agentUnknown(agentId)
          const revoked = await stores.revokedTokens.insert({
            jti: tokenId,
            clientId: agentId,
            revokedAt: now,
            // The token itself is not at hand: no token of today lives longer than this.
            expiresAt: now + MAX_ACCESS_TOKEN_TTL_SECONDS,
          })
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
