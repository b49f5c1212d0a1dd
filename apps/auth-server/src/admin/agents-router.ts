import { AgentId, findMissingScopes } from '@deputy/auth/protocol'
import { agentRouter } from '@deputy/auth/trpc'
import * as z from 'zod'
import type { AgentAt } from '../agents/agent-store.ts'
import { Agent, AgentSettings } from '../agents/agent.ts'
import { OwnerId } from '../owners/owner.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { denyAgent } from '../revocation/deny.ts'
import { noteChange } from '../revocation/note-change.ts'
import { findActiveAgent, requireActiveOwner, type AdminDeps } from './admin-deps.ts'
import type { AdminProcedure, Administrator } from './admin-procedure.ts'
import { AUTH_SERVER_ID, OPERATOR_ID } from './admin-scopes.ts'
import { agentExists, agentProtected, agentUnknown, ownerUnknown } from './refusals.ts'

const ById = z.object({ id: AgentId })

const Page = z
  .object({ limit: z.int().min(1).max(200).default(50), cursor: AgentId.optional() })
  .prefault({})

const { shape } = AgentSettings

/** Some of the settings: what is left out stays as it is, so the defaults must not come in. */
const Changes = z.object({
  name: shape.name.optional(),
  description: shape.description.unwrap().optional(),
  scopes: shape.scopes.unwrap().optional(),
  audiences: shape.audiences.unwrap().optional(),
  scopesSupported: shape.scopesSupported.unwrap().optional(),
  sharedScopes: shape.sharedScopes.unwrap().optional(),
  approvalScopes: shape.approvalScopes.unwrap().optional(),
  url: shape.url.nullable(),
  authorizationDetailsTypes: shape.authorizationDetailsTypes.unwrap().optional(),
  scopePolicy: shape.scopePolicy.unwrap().optional(),
  accessTokenTtlSeconds: shape.accessTokenTtlSeconds.unwrap().optional(),
  dpopBoundAccessTokens: shape.dpopBoundAccessTokens.unwrap().optional(),
  jwksUri: shape.jwksUri.nullable(),
  rateLimitTier: shape.rateLimitTier.unwrap().optional(),
  delegation: shape.delegation.unwrap().optional(),
  metadata: shape.metadata.unwrap().optional(),
})

/** `agents.*`: the identities. Whoever may write agents may grant any scope: guard `agents:write` well. */
export function createAgentsRouter({ clock, storage }: AdminDeps, procedure: AdminProcedure) {
  return agentRouter({
    create: procedure('agents:write')
      .input(AgentSettings.extend({ id: AgentId, ownerId: OwnerId.optional() }))
      .output(Agent)
      .mutation(async ({ ctx: { administrator }, input }) => {
        const ownerId = input.ownerId ?? administrator.agent.ownerId
        if (!mayActFor(administrator, ownerId)) throw ownerUnknown(ownerId)
        const agent: Agent = { ...input, ownerId, state: 'active', createdAt: clock.now() }
        return administrator.act(async (stores, note) => {
          await requireActiveOwner(stores.owners, ownerId)
          if (!(await stores.agents.insert(agent))) throw agentExists(input.id)
          note({ event: 'agent.created', ...describe(agent) })
          return agent
        })
      }),

    list: procedure('agents:read')
      .input(Page)
      .output(z.object({ agents: z.array(Agent), nextCursor: AgentId.optional() }))
      .query(async ({ ctx: { administrator }, input }) => {
        const { within } = administrator
        const { cursor: afterId, limit } = input
        const found = await storage.agents.list({ within, limit: limit + 1, afterId })
        const agents = found.slice(0, limit)
        const last = agents.at(-1)
        const isMore = found.length > limit && last !== undefined
        return { agents, ...(isMore ? { nextCursor: last.id } : {}) }
      }),

    get: procedure('agents:read')
      .input(ById)
      .output(Agent)
      .query(async ({ ctx: { administrator }, input: { id } }) => {
        const agent = await storage.agents.find({ id, within: administrator.within })
        if (agent === undefined) throw agentUnknown(id)
        return agent
      }),

    update: procedure('agents:write')
      .input(ById.extend({ settings: Changes }))
      .output(Agent)
      .mutation(async ({ ctx: { administrator }, input: { id, settings } }) => {
        if (id === AUTH_SERVER_ID) throw agentProtected(id)
        const at: AgentAt = { id, within: administrator.within }
        return administrator.act(async (stores, note) => {
          const before = await findActiveAgent(stores.agents, at)
          const agent = await stores.agents.update(at, settings)
          if (agent === undefined) throw agentUnknown(id)
          await noteChange(stores, id, clock.now())
          note({
            event: 'agent.updated',
            ...describe(agent),
            details: describeChange(before, agent),
          })
          return agent
        })
      }),

    deactivate: procedure('agents:write')
      .input(ById)
      .output(Agent)
      .mutation(async ({ ctx: { administrator }, input: { id } }) => {
        if (id === AUTH_SERVER_ID || id === OPERATOR_ID) throw agentProtected(id)
        const at: AgentAt = { id, within: administrator.within }
        return administrator.act(async (stores, note) => {
          const before = await stores.agents.find(at)
          const agent = await stores.agents.deactivate(at, clock.now())
          if (agent === undefined) throw agentUnknown(id)
          if (before?.state === 'active') {
            await denyAgent(stores, id, clock.now())
            note({ event: 'agent.deactivated', ...describe(agent) })
          }
          return agent
        })
      }),
  })
}

function mayActFor({ within }: Administrator, ownerId: OwnerId): boolean {
  return within === EVERY_OWNER || within === ownerId
}

function describe(agent: Agent) {
  return {
    ownerId: agent.ownerId,
    subjectId: agent.id,
    target: { kind: 'agent', id: agent.id },
  } as const
}

/** What an update did to the agent's authority, in words for the trail. */
function describeChange(before: Agent, after: Agent): Record<string, string> {
  const earlier = new Map<string, unknown>(Object.entries(before))
  const changed = Object.entries(after)
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(earlier.get(name)))
    .map(([name]) => name)
  return {
    changed: changed.join(' '),
    scopesAdded: findMissingScopes(after.scopes, before.scopes).join(' '),
    scopesRemoved: findMissingScopes(before.scopes, after.scopes).join(' '),
  }
}
