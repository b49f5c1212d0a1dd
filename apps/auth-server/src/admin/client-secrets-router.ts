import { AgentId } from '@deputy/auth/protocol'
import { agentRouter, requireScope, scopedProcedure } from '@deputy/auth/trpc'
import * as z from 'zod'
import { createClientSecret } from '../clients/create-client-secret.ts'
import { isAdministrative } from './admin-scopes.ts'
import { findActiveAgent, type AdminDeps } from './admin-deps.ts'
import { ClientSecretSummary, toClientSecretSummary } from './credential.ts'
import { credentialUnknown, expiryInThePast } from './refusals.ts'

/** `clientSecrets.*`: an agent's secrets for the token endpoint. Two at once make a rotation. */
export function createClientSecretsRouter(deps: AdminDeps) {
  const { clock, logger, storage } = deps
  return agentRouter({
    create: scopedProcedure('credentials:write')
      .input(z.object({ agentId: AgentId, expiresAt: z.int().optional() }))
      .output(
        ClientSecretSummary.extend({
          clientId: AgentId,
          clientSecret: z.string().describe('shown now and never again'),
        }),
      )
      .mutation(async ({ ctx, input }) => {
        const now = clock.now()
        if (input.expiresAt !== undefined && input.expiresAt <= now) throw expiryInThePast()
        const agent = await findActiveAgent(deps, input.agentId)
        // Attack prevented: a secret for the operator is the operator's power, so it takes as much.
        if (isAdministrative(agent.scopes)) requireScope(ctx.principal, 'agents:write')
        const { record, secret } = createClientSecret(agent.id, now, input.expiresAt)
        await storage.clientSecrets.insert(record)
        logger.info(
          { by: ctx.principal.agentId, agentId: agent.id, clientSecretId: record.id },
          'client secret created',
        )
        return {
          ...toClientSecretSummary(record, now),
          clientId: agent.id,
          clientSecret: secret,
        }
      }),

    list: scopedProcedure('credentials:read')
      .input(z.object({ agentId: AgentId }))
      .output(z.object({ clientSecrets: z.array(ClientSecretSummary) }))
      .query(async ({ input }) => {
        const records = await storage.clientSecrets.listByAgent(input.agentId)
        const now = clock.now()
        return { clientSecrets: records.map((record) => toClientSecretSummary(record, now)) }
      }),

    deactivate: scopedProcedure('credentials:write')
      .input(z.object({ clientSecretId: z.string().max(64) }))
      .output(ClientSecretSummary)
      .mutation(async ({ ctx, input }) => {
        const now = clock.now()
        const record = await storage.clientSecrets.deactivate(input.clientSecretId, now)
        if (record === undefined) throw credentialUnknown(input.clientSecretId)
        logger.info(
          { by: ctx.principal.agentId, agentId: record.agentId, clientSecretId: record.id },
          'client secret deactivated',
        )
        return toClientSecretSummary(record, now)
      }),
  })
}
