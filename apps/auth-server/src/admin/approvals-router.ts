import { AgentId } from '@deputy/auth/protocol'
import { agentRouter } from '@deputy/auth/trpc'
import * as z from 'zod'
import { Approval } from '../approvals/approval.ts'
import { describeApproval } from '../approvals/require-approval.ts'
import type { AdminDeps } from './admin-deps.ts'
import type { AdminProcedure, Administrator } from './admin-procedure.ts'
import { approvalDecided, approvalNotYours, approvalUnknown, callMismatch } from './refusals.ts'

/** An approval as the admin API shows it. */
export const ApprovalSummary = Approval.extend({
  state: z.enum([...Approval.shape.state.options, 'expired']),
})
type ApprovalSummary = z.infer<typeof ApprovalSummary>

/** How long a token can be had at least once its call was approved, in seconds. */
const REDEEM_SECONDS = 300

const ApprovalId = z.string().min(1).max(64)
const Note = z.string().trim().max(500).optional().describe('why, for whoever reads it later')

/** `approvals.*`: calls that wait for somebody's word. */
export function createApprovalsRouter({ clock, storage }: AdminDeps, procedure: AdminProcedure) {
  async function find({ within }: Administrator, id: string): Promise<Approval> {
    const approval = await storage.approvals.find({ id, within })
    if (approval === undefined) throw approvalUnknown(id)
    return approval
  }

  async function decide(
    administrator: Administrator,
    approval: Approval,
    decision: { readonly state: 'approved' | 'denied'; readonly note: string | undefined },
  ): Promise<ApprovalSummary> {
    const now = clock.now()
    const { agent, within } = administrator
    const decided = {
      ...decision,
      decidedAt: now,
      decidedBy: agent.id,
      expiresAt:
        decision.state === 'approved'
          ? Math.max(approval.expiresAt, now + REDEEM_SECONDS)
          : approval.expiresAt,
    }
    return administrator.act(async (stores, note) => {
      if (!(await stores.approvals.decide({ id: approval.id, within }, decided))) {
        throw approvalDecided(approval.id)
      }
      const { details, ownerId, subjectId, target } = describeApproval(approval)
      const asked = { ...details, agent: approval.agentId, audience: approval.audience }
      const event = `approval.${decision.state}` as const
      note({ event, ownerId, subjectId, target, details: { ...asked, note: decision.note ?? '' } })
      return { ...approval, ...decided }
    })
  }

  return agentRouter({
    list: procedure('approvals:read')
      .input(
        z
          .object({
            isPending: z.boolean().default(true).describe('only those that can be decided'),
            agentId: AgentId.optional().describe('only those that this agent asked for'),
            limit: z.int().min(1).max(200).default(50),
            cursor: ApprovalId.optional(),
          })
          .prefault({}),
      )
      .output(z.object({ approvals: z.array(ApprovalSummary), nextCursor: z.string().optional() }))
      .query(async ({ ctx: { administrator }, input: { cursor: afterId, limit, ...filter } }) => {
        const found = await storage.approvals.list({
          ...filter,
          within: administrator.within,
          now: clock.now(),
          afterId,
          limit: limit + 1,
        })
        const approvals = found.slice(0, limit).map(show)
        const last = approvals.at(-1)
        const isMore = found.length > limit && last !== undefined
        return { approvals, ...(isMore ? { nextCursor: last.id } : {}) }
      }),

    get: procedure('approvals:read')
      .input(z.object({ approvalId: ApprovalId }))
      .output(ApprovalSummary)
      .query(async ({ ctx: { administrator }, input: { approvalId } }) =>
        show(await find(administrator, approvalId)),
      ),

    /** Lets the one call be made. Whoever decides says which call they saw, by its hash. */
    approve: procedure('approvals:decide')
      .input(
        z.object({
          approvalId: ApprovalId,
          inputSha256: Approval.shape.inputSha256.describe('of the call that was looked at'),
          note: Note,
        }),
      )
      .output(ApprovalSummary)
      .mutation(async ({ ctx: { administrator, principal }, input }) => {
        const approval = await find(administrator, input.approvalId)
        // Attack prevented: an agent that has its own call approved: by itself, by another that acts in
        // the same chain, or with the token of an operator that it works for.
        const { agent } = administrator
        const isInvolved = [approval.agentId, ...approval.actors].includes(agent.id)
        if (isInvolved || principal.subject !== agent.id) throw approvalNotYours(approval.id)
        if (input.inputSha256 !== approval.inputSha256) throw callMismatch(approval.id)
        return decide(administrator, approval, { state: 'approved', note: input.note })
      }),

    deny: procedure('approvals:decide')
      .input(z.object({ approvalId: ApprovalId, note: Note }))
      .output(ApprovalSummary)
      .mutation(async ({ ctx: { administrator }, input: { approvalId, note } }) =>
        decide(administrator, await find(administrator, approvalId), { state: 'denied', note }),
      ),
  })

  function show(approval: Approval): ApprovalSummary {
    const isOver = approval.state === 'pending' && approval.expiresAt <= clock.now()
    return isOver ? { ...approval, state: 'expired' } : approval
  }
}
