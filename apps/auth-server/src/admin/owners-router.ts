import { agentRouter } from '@deputy/auth/trpc'
import * as z from 'zod'
import { Owner, OwnerId, SYSTEM_OWNER_ID } from '../owners/owner.ts'
import type { AdminDeps } from './admin-deps.ts'
import type { AdminProcedure } from './admin-procedure.ts'
import { endOwner } from '../owners/end-owner.ts'
import { ownerExists, ownerInactive, ownerProtected, ownerUnknown } from './refusals.ts'

const Page = z
  .object({ limit: z.int().min(1).max(200).default(50), cursor: OwnerId.optional() })
  .prefault({})

/** `owners.*`: the organisations that agents belong to. For agents of the system only. */
export function createOwnersRouter({ clock, storage }: AdminDeps, procedure: AdminProcedure) {
  return agentRouter({
    create: procedure('owners:write')
      .input(Owner.pick({ id: true, name: true }))
      .output(Owner)
      .mutation(async ({ ctx: { administrator }, input }) => {
        const owner: Owner = { ...input, createdAt: clock.now() }
        return administrator.act(async (stores, note) => {
          if (!(await stores.owners.insert(owner))) throw ownerExists(owner.id)
          const target = { kind: 'owner', id: owner.id }
          note({ event: 'owner.created', ownerId: owner.id, target })
          return owner
        })
      }),

    update: procedure('owners:write')
      .input(Owner.pick({ id: true, name: true }))
      .output(Owner)
      .mutation(async ({ ctx: { administrator }, input: { id, name } }) =>
        administrator.act(async (stores, note) => {
          const before = await stores.owners.find(id)
          if (before === undefined) throw ownerUnknown(id)
          if (before.deactivatedAt !== undefined) throw ownerInactive(id)
          const owner = await stores.owners.rename(id, name)
          if (owner === undefined) throw ownerUnknown(id)
          const details = { from: before.name, to: name }
          note({ event: 'owner.updated', ownerId: id, target: { kind: 'owner', id }, details })
          return owner
        }),
      ),

    deactivate: procedure('owners:write')
      .input(z.object({ id: OwnerId }))
      .output(Owner.extend({ agentsEnded: z.int().describe('agents that this call ended') }))
      .mutation(async ({ ctx: { administrator }, input: { id } }) => {
        if (id === SYSTEM_OWNER_ID) throw ownerProtected(id)
        return administrator.act(async (stores, note) => {
          const before = await stores.owners.find(id)
          const owner = await stores.owners.deactivate(id, clock.now())
          if (owner === undefined) throw ownerUnknown(id)
          if (before?.deactivatedAt !== undefined) return { ...owner, agentsEnded: 0 }
          const ended = await endOwner(stores, id, clock.now())
          for (const agentId of ended) {
            const target = { kind: 'agent', id: agentId }
            note({ event: 'agent.deactivated', ownerId: id, subjectId: agentId, target })
          }
          const details = { agents: String(ended.length) }
          note({ event: 'owner.deactivated', ownerId: id, target: { kind: 'owner', id }, details })
          return { ...owner, agentsEnded: ended.length }
        })
      }),

    get: procedure('owners:read')
      .input(z.object({ id: OwnerId }))
      .output(Owner)
      .query(async ({ input: { id } }) => {
        const owner = await storage.owners.find(id)
        if (owner === undefined) throw ownerUnknown(id)
        return owner
      }),

    list: procedure('owners:read')
      .input(Page)
      .output(z.object({ owners: z.array(Owner), nextCursor: OwnerId.optional() }))
      .query(async ({ ctx: { administrator }, input }) => {
        const { cursor: afterId, limit } = input
        const { within } = administrator
        const found = await storage.owners.list({ within, limit: limit + 1, afterId })
        const owners = found.slice(0, limit)
        const last = owners.at(-1)
        const isMore = found.length > limit && last !== undefined
        return { owners, ...(isMore ? { nextCursor: last.id } : {}) }
      }),
  })
}
