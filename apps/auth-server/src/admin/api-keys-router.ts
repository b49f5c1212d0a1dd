import { AgentId, createAgentSecret, findMissingScopes } from '@deputy/auth/protocol'
import { agentRouter, requireScope, scopedProcedure } from '@deputy/auth/trpc'
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { ScopeToken } from '../agents/agent.ts'
import type { ApiKeyRecord } from '../api-keys/api-key-store.ts'
import { hashSecret } from '../secret-hash.ts'
import { isAdministrative } from './admin-scopes.ts'
import { findActiveAgent, type AdminDeps } from './admin-deps.ts'
import { ApiKeySummary, toApiKeySummary } from './credential.ts'
import { credentialUnknown, expiryInThePast, scopeNotAllowed } from './refusals.ts'

const NewApiKey = z.object({
  agentId: AgentId,
  label: z.string().trim().max(200).default(''),
  scopes: z.array(ScopeToken).min(1).max(100),
  expiresAt: z.int().optional(),
})

/** `apiKeys.*`: an agent's keys (`sk-agent-…`). One that is deactivated counts no more from the next request on. */
export function createApiKeysRouter(deps: AdminDeps) {
  const { clock, logger, storage } = deps
  return agentRouter({
    create: scopedProcedure('keys:write')
      .input(NewApiKey)
      .output(ApiKeySummary.extend({ apiKey: z.string().describe('shown now and never again') }))
      .mutation(async ({ ctx, input }) => {
        const now = clock.now()
        if (input.expiresAt !== undefined && input.expiresAt <= now) throw expiryInThePast()
        const agent = await findActiveAgent(deps, input.agentId)
        const refused = findMissingScopes(input.scopes, agent.scopes)
        if (refused.length > 0) throw scopeNotAllowed(agent.id, refused)
        // Attack prevented: a key that administers is made by whoever may administer already.
        if (isAdministrative(input.scopes)) requireScope(ctx.principal, 'agents:write')
        const apiKey = createAgentSecret('apiKey')
        const record: ApiKeyRecord = {
          id: randomUUID(),
          agentId: agent.id,
          label: input.label,
          scopes: input.scopes,
          keyHash: hashSecret(apiKey),
          createdAt: now,
          expiresAt: input.expiresAt,
          deactivatedAt: undefined,
          lastUsedAt: undefined,
        }
        await storage.apiKeys.insert(record)
        logger.info(
          { by: ctx.principal.agentId, agentId: agent.id, apiKeyId: record.id },
          'API key created',
        )
        return { ...toApiKeySummary(record, now), apiKey }
      }),

    list: scopedProcedure('keys:read')
      .input(z.object({ agentId: AgentId }))
      .output(z.object({ apiKeys: z.array(ApiKeySummary) }))
      .query(async ({ input }) => {
        const records = await storage.apiKeys.listByAgent(input.agentId)
        const now = clock.now()
        return { apiKeys: records.map((record) => toApiKeySummary(record, now)) }
      }),

    deactivate: scopedProcedure('keys:write')
      .input(z.object({ apiKeyId: z.string().max(64) }))
      .output(ApiKeySummary)
      .mutation(async ({ ctx, input }) => {
        const now = clock.now()
        const record = await storage.apiKeys.deactivate(input.apiKeyId, now)
        if (record === undefined) throw credentialUnknown(input.apiKeyId)
        logger.info(
          { by: ctx.principal.agentId, agentId: record.agentId, apiKeyId: record.id },
          'API key deactivated',
        )
        return toApiKeySummary(record, now)
      }),
  })
}
