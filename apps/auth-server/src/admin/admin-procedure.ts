// The start of every admin procedure: who is acting, for which owner, and how its acts are written
// down.
import { AuthError, scopedProcedure } from '@deputy/auth/trpc'
import type { Scope } from '@deputy/auth/protocol'
import type { Client } from '../agents/agent.ts'
import type { AuditEvent } from '../audit/audit-event.ts'
import { SYSTEM_OWNER_ID } from '../owners/owner.ts'
import { EVERY_OWNER, type Tenancy } from '../owners/tenancy.ts'
import type { Stores } from '../storage/stores.ts'
import { isUnavailable } from '../unavailable.ts'
import type { AdminDeps } from './admin-deps.ts'
import { describeCall } from './describe-call.ts'
import { storeUnavailable } from './refusals.ts'

/** An administrator at work. */
export type Administrator = {
  readonly agent: Client
  /** Whose things it sees and changes. */
  readonly within: Tenancy
  /** Carries out work whose writes and whose entries on the audit trail hold together. */
  act<Value>(
    work: (stores: Stores, note: (event: AdminEvent) => void) => Promise<Value>,
  ): Promise<Value>
}

/** What an act says of itself; who did it and when is added. */
export type AdminEvent = Pick<
  AuditEvent,
  'event' | 'ownerId' | 'subjectId' | 'grantId' | 'target' | 'details'
>

/** Makes procedures for one server. */
export type AdminProcedure = ReturnType<typeof createAdminProcedure>

/** Creates the builder. */
export function createAdminProcedure({ storage }: AdminDeps) {
  return (...scopes: readonly [Scope, ...Scope[]]) =>
    scopedProcedure(...scopes)
      .use(async ({ next }) => {
        const result = await next()
        if (result.ok || !isUnavailable(result.error.cause)) return result
        throw storeUnavailable()
      })
      .use(async ({ ctx, next }) => {
        const { principal } = ctx
        const agent = await storage.clients.find(principal.agentId)
        // A token outlives the agent that it was issued to: its power over others does not.
        if (agent?.state !== 'active') throw new AuthError({ reason: 'token_revoked' })
        const isSystemWide =
          agent.ownerId === SYSTEM_OWNER_ID &&
          (principal.scopes.includes('owners:write') || principal.scopes.includes('owners:read'))
        const administrator: Administrator = {
          agent,
          within: isSystemWide ? EVERY_OWNER : agent.ownerId,
          act: async (work) =>
            storage.act(async (stores, note) =>
              work(stores, (event) => {
                note({
                  outcome: 'success',
                  ...describeCall(ctx),
                  ...event,
                })
              }),
            ),
        }
        return next({ ctx: { administrator } })
      })
}
