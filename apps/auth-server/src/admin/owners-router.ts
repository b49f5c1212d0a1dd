import { agentRouter } from '@deputy/auth/trpc'
import * as z from 'zod'
import { Owner, OwnerId } from '../owners/owner.ts'
import type { AdminDeps } from './admin-deps.ts'
import type { AdminProcedure } from './admin-procedure.ts'
import { ownerExists, ownerUnknown } from './refusals.ts'

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
