// What an agent needs further on may have to be approved: its handler ends with the error that the client
// threw, and the agent's own caller is told to wait, or that it was denied. So it bubbles up a chain.
import { TRPCError } from '@trpc/server'
import * as z from 'zod'
import { AuthError } from './auth-error.ts'

const ApprovalId = z.string().min(1).max(200)

/** By its members, not by its class: the client is another package, which this one does not know. */
const BubbledApproval = z.discriminatedUnion('code', [
  z.object({
    code: z.literal('approval_pending'),
    approvalId: ApprovalId,
    intervalSeconds: z.number().positive(),
    expiresInSeconds: z.number().nonnegative().optional(),
  }),
  z.object({ code: z.literal('approval_denied'), approvalId: ApprovalId }),
])

/**
 * The refusal that the caller is told, where a handler ended with such an error; otherwise the error as it
 * is. What a handler throws as a refusal of its own stays its own.
 */
export function bubbleApproval(error: unknown): unknown {
  const isRefusal = error instanceof TRPCError && error.code !== 'INTERNAL_SERVER_ERROR'
  if (isRefusal || !(error instanceof Error)) return error
  const read = BubbledApproval.safeParse(error instanceof TRPCError ? error.cause : error)
  if (!read.success) return error
  const approval = read.data
  return new AuthError(
    approval.code === 'approval_denied'
      ? { reason: 'approval_denied', approvalId: approval.approvalId }
      : {
          reason: 'approval_pending',
          approvalId: approval.approvalId,
          intervalSeconds: approval.intervalSeconds,
          expiresInSeconds: approval.expiresInSeconds,
        },
  )
}
