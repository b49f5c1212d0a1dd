import { agentRouter } from '@deputy/auth/trpc'
import { tracked } from '@trpc/server'
import * as z from 'zod'
import { AuditEntry } from '../audit/audit-event.ts'
import { AuditFilter } from '../audit/audit-filter.ts'
import { CHAIN_FAULTS } from '../audit/check-link.ts'
import { followTrail, type FollowOptions } from '../audit/follow-trail.ts'
import { isOfTrail, toTrailPosition, TrailPosition } from '../audit/trail-position.ts'
import { verifyChains } from '../audit/verify-chain.ts'
import type { AdminDeps } from './admin-deps.ts'
import type { AdminProcedure } from './admin-procedure.ts'
import { describeCall } from './describe-call.ts'
import { auditEntryUnknown, auditPositionLost, timeInTheFuture } from './refusals.ts'

const ChainHead = z.object({
  writerId: z.string().max(64),
  seq: z.int(),
  hash: z.string().max(128),
})

const Verdict = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    entries: z.int(),
    heads: z.array(ChainHead).describe('worth keeping elsewhere, as checkpoints'),
  }),
  z.object({
    ok: z.literal(false),
    writerId: z.string(),
    seq: z.int().describe('the first entry that is broken'),
    fault: z.enum(CHAIN_FAULTS),
  }),
])

/** A cursor is an entry's id: entries that come later never move what follows it. */
const Cursor = z.int().min(1)

/** `audit.*`: what the server did, for whom. Owners see their own entries, the system's operators all. */
export function createAuditRouter({ clock, storage }: AdminDeps, procedure: AdminProcedure) {
  const { audit } = storage
  return agentRouter({
    list: procedure('audit:read')
      .input(
        AuditFilter.extend({
          limit: z.int().min(1).max(200).default(50),
          cursor: Cursor.optional(),
        }).prefault({}),
      )
      .output(z.object({ entries: z.array(AuditEntry), nextCursor: Cursor.optional() }))
      .query(async ({ ctx: { administrator }, input: { cursor, limit, ...filter } }) => {
        const { within } = administrator
        const page = await audit.list({ within, filter, limit, beforeId: cursor })
        const { entries, nextBeforeId: nextCursor } = page
        return { entries: [...entries], ...(nextCursor === undefined ? {} : { nextCursor }) }
      }),

    get: procedure('audit:read')
      .input(z.object({ id: Cursor }))
      .output(AuditEntry)
      .query(async ({ ctx: { administrator }, input: { id } }) => {
        const entry = await audit.find(id, administrator.within)
        if (entry === undefined) throw auditEntryUnknown(id)
        return entry
      }),

    tail: procedure('audit:read')
      .input(AuditFilter.extend({ lastEventId: TrailPosition.optional() }).prefault({}))
      .subscription(async function* ({ ctx: { administrator, getSignal }, input }) {
        const { lastEventId: position, ...filter } = input
        const { within } = administrator
        // Following would be silent until the ids have come that far again.
        if (position !== undefined && !(await isOfTrail(audit, position))) {
          throw auditPositionLost(position.afterId)
        }
        const afterId = position?.afterId ?? (await audit.newestId())
        const follow: FollowOptions = {
          within,
          filter,
          afterId,
          signal: getSignal(),
          clock,
        }
        for await (const entry of followTrail(audit, follow)) {
          yield tracked(toTrailPosition(entry), entry)
        }
      }),

    // A chain holds the entries of every owner, so whoever verifies it looks at all of them.
    verify: procedure('audit:write')
      .input(z.object({ checkpoints: z.array(ChainHead).max(1000).default([]) }).prefault({}))
      .output(Verdict)
      .query(async ({ ctx: { getSignal }, input: { checkpoints } }) => {
        const verified = await verifyChains(audit, {
          // What the running server remembers must be there as well.
          checkpoints: [...checkpoints, ...audit.ownHeads()],
          signal: getSignal(),
        })
        if (!verified.ok) return { ok: false as const, ...verified.refusal }
        return { ok: true as const, ...verified.value, heads: [...verified.value.heads] }
      }),

    prune: procedure('audit:write')
      .input(
        z.object({ beforeAt: z.int().min(0).describe('drops what is older, in epoch seconds') }),
      )
      .output(z.object({ entries: z.int(), writers: z.int() }))
      .mutation(async ({ ctx, input: { beforeAt } }) => {
        if (beforeAt > clock.now()) throw timeInTheFuture()
        return audit.prune({ beforeAt, ...describeCall(ctx) })
      }),
  })
}
