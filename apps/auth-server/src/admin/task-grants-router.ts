import { AgentId } from '@deputy/auth/protocol'
import { agentRouter } from '@deputy/auth/trpc'
import * as z from 'zod'
import type { Client } from '../agents/agent.ts'
import { GrantNode } from '../delegation/grant-node.ts'
import { openTaskGrant, TaskRequest, type TaskRefusal } from '../delegation/open-task-grant.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { denyGrant } from '../revocation/deny.ts'
import { findActiveAgent, type AdminDeps } from './admin-deps.ts'
import type { AdminProcedure, Administrator } from './admin-procedure.ts'
import {
  agentUnknown,
  audienceNotAllowed,
  delegationNotAllowed,
  grantUnknown,
  scopeNotAllowed,
} from './refusals.ts'

/** A grant as the admin API shows it. */
export const GrantSummary = GrantNode.extend({ live: z.boolean() })

const ById = z.object({ grantId: z.string().min(1).max(64) })
const Revoked = z.object({ revoked: z.boolean().describe('false when it had ended before') })

/** `taskGrants.*`: authority for one piece of work, which one act ends. */
export function createTaskGrantsRouter({ clock, storage }: AdminDeps, procedure: AdminProcedure) {
  async function open(
    administrator: Administrator,
    request: TaskRequest,
    parties: { readonly subject: Client; readonly agent: Client },
  ): Promise<z.infer<typeof GrantSummary>> {
    const openedBy = administrator.agent
    const opened = openTaskGrant(request, { ...parties, openedBy }, clock.now())
    if (!opened.ok) throw toRefusal(parties.agent.id, opened.refusal)
    const node = opened.value
    return administrator.act(async (stores, note) => {
      await stores.grants.insert(node)
      note({ event: 'task_grant.opened', ...describe(node) })
      return { ...node, live: true }
    })
  }

  async function revoke(administrator: Administrator, node: GrantNode): Promise<boolean> {
    return administrator.act(async (stores, note) => {
      const isNew = await denyGrant(stores, node, clock.now())
      if (isNew) note({ event: 'task_grant.revoked', ...describe(node) })
      return isNew
    })
  }

  return agentRouter({
    open: procedure('grants:write')
      .input(TaskRequest)
      .output(GrantSummary)
      .mutation(async ({ ctx: { administrator }, input }) => {
        const { within } = administrator
        const agent = await findActiveAgent(storage.agents, { id: input.agentId, within })
        return open(administrator, input, { subject: agent, agent })
      }),

    /** Opened by an agent with its own authority, for itself or for one that it may hand work on to. */
    delegate: procedure('grants:delegate')
      .input(TaskRequest)
      .output(GrantSummary)
      .mutation(async ({ ctx: { administrator, principal }, input }) => {
        const subject = administrator.agent
        // Attack prevented: an agent that acts for another opening grants of that one's authority.
        if (principal.subject !== subject.id) {
          throw delegationNotAllowed('only an agent that acts for itself opens grants of its own')
        }
        const agent = await storage.clients.find(input.agentId)
        const isKnown =
          input.agentId === subject.id || subject.delegation.to.includes(input.agentId)
        if (agent?.state !== 'active' || !isKnown) throw agentUnknown(input.agentId)
        return open(administrator, input, { subject, agent })
      }),

    list: procedure('grants:read')
      .input(
        z
          .object({
            agentId: AgentId.optional(),
            limit: z.int().min(1).max(200).default(50),
            cursor: z.string().max(64).optional(),
          })
          .prefault({}),
      )
      .output(z.object({ grants: z.array(GrantSummary), nextCursor: z.string().optional() }))
      .query(async ({ ctx: { administrator }, input: { agentId, cursor: afterId, limit } }) => {
        const { within } = administrator
        const found = await storage.grants.listTasks({ within, agentId, afterId, limit: limit + 1 })
        const grants = found.slice(0, limit).map(show)
        const last = grants.at(-1)
        const isMore = found.length > limit && last !== undefined
        return { grants, ...(isMore ? { nextCursor: last.id } : {}) }
      }),

    /** The grant, and what lives below it, parents before children. */
    get: procedure('grants:read')
      .input(ById)
      .output(z.object({ grant: GrantSummary, below: z.array(GrantSummary) }))
      .query(async ({ ctx: { administrator }, input: { grantId: id } }) => {
        const grant = await storage.grants.find({ id, within: administrator.within })
        if (grant === undefined) throw grantUnknown(id)
        const options = { now: clock.now(), limit: 1000 }
        const nodes = await storage.grants.listStandingOn(id, options)
        return { grant: show(grant), below: nodes.filter((node) => node.id !== id).map(show) }
      }),

    /** Ends a grant with everything below it: a task grant, or a token that stands on another. */
    revoke: procedure('tokens:revoke')
      .input(ById)
      .output(Revoked)
      .mutation(async ({ ctx: { administrator }, input: { grantId: id } }) => {
        const node = await storage.grants.find({ id, within: administrator.within })
        if (node === undefined) throw grantUnknown(id)
        return { revoked: await revoke(administrator, node) }
      }),

    /** Ends a grant that the caller opened with its own authority. */
    withdraw: procedure('grants:delegate')
      .input(ById)
      .output(Revoked)
      .mutation(async ({ ctx: { administrator }, input: { grantId: id } }) => {
        const node = await storage.grants.find({ id, within: EVERY_OWNER })
        if (node?.kind !== 'task' || node.openedBy !== administrator.agent.id)
          throw grantUnknown(id)
        return { revoked: await revoke(administrator, node) }
      }),
  })

  function show(node: GrantNode): z.infer<typeof GrantSummary> {
    return { ...node, live: node.revokedAt === undefined && node.expiresAt > clock.now() }
  }
}

function describe(node: GrantNode) {
  return {
    ownerId: node.ownerId,
    subjectId: node.subjectId,
    grantId: node.id,
    target: { kind: 'grant', id: node.id },
    details: {
      agent: node.agentId,
      scopes: node.scopes.join(' '),
      audiences: node.audiences.join(' '),
      limits: JSON.stringify(node.limits),
    },
  } as const
}

function toRefusal(agentId: string, refusal: TaskRefusal): Error {
  switch (refusal.reason) {
    case 'scope_not_allowed':
      return scopeNotAllowed(agentId, refusal.scopes)
    case 'audience_not_allowed':
      return audienceNotAllowed(agentId, refusal.audiences)
    case 'delegation_not_allowed':
      return delegationNotAllowed(refusal.detail)
  }
}
