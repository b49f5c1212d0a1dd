import { AgentId } from '@deputy/auth/protocol'
import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import * as z from 'zod'
import { Agent, AgentSettings } from '../agents/agent.ts'
import { findActiveAgent, type AdminDeps } from './admin-deps.ts'
import { AUTH_SERVER_ID, OPERATOR_ID } from './admin-scopes.ts'
import { agentExists, agentProtected, agentUnknown } from './refusals.ts'

const ById = z.object({ id: AgentId })

const Page = z
  .object({ limit: z.int().min(1).max(200).default(50), cursor: AgentId.optional() })
  .prefault({})

/** Some of the settings: what is left out stays as it is, so the defaults must not come in. */
const Changes = z.object({
  name: AgentSettings.shape.name.optional(),
  description: AgentSettings.shape.description.unwrap().optional(),
  scopes: AgentSettings.shape.scopes.unwrap().optional(),
  audiences: AgentSettings.shape.audiences.unwrap().optional(),
  scopesSupported: AgentSettings.shape.scopesSupported.unwrap().optional(),
  accessTokenTtlSeconds: AgentSettings.shape.accessTokenTtlSeconds.unwrap().optional(),
})

/** `agents.*`: the identities. Whoever may write agents may grant any scope: guard `agents:write` well. */
export function createAgentsRouter(deps: AdminDeps) {
  const { clock, logger, storage } = deps
  return agentRouter({
    create: scopedProcedure('agents:write')
      .input(AgentSettings.extend({ id: AgentId }))
      .output(Agent)
      .mutation(async ({ ctx, input }) => {
        const agent: Agent = { ...input, state: 'active', createdAt: clock.now() }
        if (!(await storage.agents.insert(agent))) throw agentExists(input.id)
        logger.info({ by: ctx.principal.agentId, agentId: input.id }, 'agent created')
        return agent
      }),

    list: scopedProcedure('agents:read')
      .input(Page)
      .output(z.object({ agents: z.array(Agent), nextCursor: AgentId.optional() }))
      .query(async ({ input }) => {
        const found = await storage.agents.list({ limit: input.limit + 1, afterId: input.cursor })
        const agents = found.slice(0, input.limit)
        const last = agents.at(-1)
        const isMore = found.length > input.limit && last !== undefined
        return { agents, ...(isMore ? { nextCursor: last.id } : {}) }
      }),

    get: scopedProcedure('agents:read')
      .input(ById)
      .output(Agent)
      .query(async ({ input }) => {
        const agent = await storage.agents.find(input.id)
        if (agent === undefined) throw agentUnknown(input.id)
        return agent
      }),

    update: scopedProcedure('agents:write')
      .input(ById.extend({ settings: Changes }))
      .output(Agent)
      .mutation(async ({ ctx, input }) => {
        if (input.id === AUTH_SERVER_ID) throw agentProtected(input.id)
        await findActiveAgent(deps, input.id)
        const agent = await storage.agents.update(input.id, input.settings)
        if (agent === undefined) throw agentUnknown(input.id)
        logger.info({ by: ctx.principal.agentId, agentId: input.id }, 'agent updated')
        return agent
      }),

    deactivate: scopedProcedure('agents:write')
      .input(ById)
      .output(Agent)
      .mutation(async ({ ctx, input }) => {
        if (input.id === AUTH_SERVER_ID || input.id === OPERATOR_ID) throw agentProtected(input.id)
        const agent = await storage.agents.deactivate(input.id, clock.now())
        if (agent === undefined) throw agentUnknown(input.id)
        logger.info({ by: ctx.principal.agentId, agentId: input.id }, 'agent deactivated')
        return agent
      }),
  })
}
