import type { Principal } from '@deputy/auth'
import { AgentId, findMissingScopes } from '@deputy/auth/protocol'
import { agentRouter, requireScope } from '@deputy/auth/trpc'
import * as z from 'zod'
import type { AgentAt } from '../agents/agent-store.ts'
import type { CredentialAt } from '../credentials/credential.ts'
import { AgentSettings, ScopeToken, type Client } from '../agents/agent.ts'
import { createApiKey } from '../api-keys/create-api-key.ts'
import { denyCredential } from '../revocation/deny.ts'
import { noteChange } from '../revocation/note-change.ts'
import { findActiveAgent, type AdminDeps } from './admin-deps.ts'
import type { AdminProcedure } from './admin-procedure.ts'
import { isAdministrative } from './admin-scopes.ts'
import { ApiKeySummary, NewCredential, OverlapSeconds, toApiKeySummary } from './credential.ts'
import { credentialEnded, credentialUnknown, expiryInThePast, scopeNotAllowed } from './refusals.ts'
import { chooseExpiry, createSupersession } from './rotation.ts'

const ById = z.object({ apiKeyId: z.string().max(64) })

const NewKey = NewCredential.extend({
  scopes: z.array(ScopeToken).min(1).max(100),
  /** In place of its agent's tier. */
  rateLimitTier: AgentSettings.shape.rateLimitTier.unwrap().optional(),
})

const Created = ApiKeySummary.extend({
  apiKey: z.string().describe('shown now and never again'),
})

/** `apiKeys.*`: an agent's keys (`sk-agent-…`). One that is deactivated counts no more from the next request on. */
export function createApiKeysRouter(
  { clock, credentialUses, storage }: AdminDeps,
  procedure: AdminProcedure,
) {
  return agentRouter({
    create: procedure('keys:write')
      .input(NewKey)
      .output(Created)
      .mutation(async ({ ctx: { administrator, principal }, input }) => {
        const now = clock.now()
        if (input.expiresAt !== undefined && input.expiresAt <= now) throw expiryInThePast()
        const { apiKey, record } = createApiKey({
          ...input,
          now,
          expiresAt: input.expiresAt,
          rateLimitTier: input.rateLimitTier,
        })
        return administrator.act(async (stores, note) => {
          const at: AgentAt = { id: input.agentId, within: administrator.within }
          const agent = await findActiveAgent(stores.agents, at)
          requirePower(principal, agent, input.scopes)
          await stores.apiKeys.insert(record)
          const details = { scopes: input.scopes.join(' ') }
          note({ event: 'api_key.created', ...describe(agent, record.id), details })
          return { ...toApiKeySummary(record, now), apiKey }
        })
      }),

    rotate: procedure('keys:write')
      .input(
        ById.extend({ overlapSeconds: OverlapSeconds, expiresAt: NewCredential.shape.expiresAt }),
      )
      .output(Created)
      .mutation(async ({ ctx: { administrator, principal }, input }) => {
        const now = clock.now()
        const { apiKeyId: id, overlapSeconds } = input
        const { within } = administrator
        return administrator.act(async (stores, note) => {
          const old = await stores.apiKeys.find({ id, within })
          if (old === undefined) throw credentialUnknown(id)
          const agent = await findActiveAgent(stores.agents, { id: old.agentId, within })
          requirePower(principal, agent, old.scopes)
          const expiresAt = chooseExpiry(old, input.expiresAt, now)
          const { apiKey, record } = createApiKey({ ...old, now, expiresAt })
          const by = createSupersession({ old, successorId: record.id, overlapSeconds, now })
          await stores.apiKeys.insert(record)
          if (!(await stores.apiKeys.supersede(id, by))) throw credentialEnded(id)
          await noteChange(stores, id, now)
          const details = { successor: record.id, overlapSeconds: String(overlapSeconds) }
          note({ event: 'api_key.rotated', ...describe(agent, id), details })
          return { ...toApiKeySummary(record, now), apiKey }
        })
      }),

    list: procedure('keys:read')
      .input(z.object({ agentId: AgentId }))
      .output(z.object({ apiKeys: z.array(ApiKeySummary) }))
      .query(async ({ ctx: { administrator }, input }) => {
        await credentialUses.flush()
        const records = await storage.apiKeys.listByAgent(input.agentId, administrator.within)
        const now = clock.now()
        return { apiKeys: records.map((record) => toApiKeySummary(record, now, records)) }
      }),

    deactivate: procedure('keys:write')
      .input(ById)
      .output(ApiKeySummary)
      .mutation(async ({ ctx: { administrator }, input: { apiKeyId: id } }) => {
        const now = clock.now()
        const at: CredentialAt = { id, within: administrator.within }
        return administrator.act(async (stores, note) => {
          const before = await stores.apiKeys.find(at)
          const record = await stores.apiKeys.deactivate(at, now)
          const agent = record && (await stores.clients.find(record.agentId))
          if (record === undefined || agent === undefined) throw credentialUnknown(id)
          if (before?.deactivatedAt === undefined) {
            await denyCredential(stores, id, now)
            note({ event: 'api_key.deactivated', ...describe(agent, id) })
          }
          return toApiKeySummary(record, now)
        })
      }),
  })
}

/** A key carries no more than its agent may. */
function requirePower(principal: Principal, agent: Client, scopes: readonly string[]): void {
  const refused = findMissingScopes(scopes, agent.scopes)
  if (refused.length > 0) throw scopeNotAllowed(agent.id, refused)
  // Attack prevented: a key that administers is made by whoever may administer already.
  if (isAdministrative(scopes)) requireScope(principal, 'agents:write')
}

function describe(agent: Client, id: string) {
  return {
    ownerId: agent.ownerId,
    subjectId: agent.id,
    target: { kind: 'api_key', id },
  } as const
}
