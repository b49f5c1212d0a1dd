// What stops an agent further on stops its own caller: its handler ends with the error that the client threw. An approval
// that is waited for, or was denied, is told as it is, so that it bubbles up a chain; a scope that an agent lacks, with
// who lacks it and where (docs/adr/0050).
import { TRPCError } from '@trpc/server'
import * as z from 'zod'
import { AgentId } from '../protocol/index.ts'
import type { Refusal } from '../refusal.ts'
import { AuthError } from './auth-error.ts'

const ApprovalId = z.string().min(1).max(200)

/**
 * A scope as agents write it, and nothing longer. Attack prevented: a token, or words for whoever reads the error, handed
 * up the chain as the name of a scope.
 */
const NamedScope = z
  .string()
  .max(64)
  .regex(/^[a-z][a-z0-9_.-]*(?::[a-z0-9][a-z0-9_.-]*)+$/)
const NamedScopes = z.array(NamedScope).min(1).max(16)

/** By its members, not by its class: the client is another package, which this one does not know. */
const BubblingError = z.discriminatedUnion('code', [
  z.object({
    code: z.literal('approval_pending'),
    approvalId: ApprovalId,
    intervalSeconds: z.number().positive(),
    expiresInSeconds: z.number().nonnegative().optional(),
  }),
  z.object({ code: z.literal('approval_denied'), approvalId: ApprovalId }),
  z.object({
    code: z.literal('scope_missing'),
    agentId: AgentId.optional().catch(undefined),
    requiredScopes: NamedScopes,
    grantedScopes: z.array(z.string()),
  }),
  z.object({
    code: z.literal('token_refused'),
    oauthError: z.literal('invalid_scope'),
    agentId: AgentId.optional().catch(undefined),
    requiredScopes: NamedScopes,
  }),
  z.object({
    code: z.literal('scope_missing_further_on'),
    requiredScopes: NamedScopes,
    furtherOn: z.object({ agentId: AgentId, calledAgentId: AgentId.optional().catch(undefined) }),
  }),
])
type BubblingError = z.infer<typeof BubblingError>

/**
 * The refusal that the caller is told, where a handler ended with such an error; otherwise the error as it
 * is. What a handler throws as a refusal of its own stays its own.
 *
 * @param agentId this agent's
 */
export function bubbleRefusal(error: unknown, agentId: string): unknown {
  const isRefusal = error instanceof TRPCError && error.code !== 'INTERNAL_SERVER_ERROR'
  if (isRefusal || !(error instanceof Error)) return error
  const read = BubblingError.safeParse(error instanceof TRPCError ? error.cause : error)
  return read.success ? new AuthError(toRefusal(read.data, agentId)) : error
}

function toRefusal(error: BubblingError, agentId: string): Refusal {
  const reason = 'scope_missing_further_on'
  switch (error.code) {
    case 'approval_denied':
      return { reason: 'approval_denied', approvalId: error.approvalId }
    case 'approval_pending': {
      const { approvalId, expiresInSeconds, intervalSeconds } = error
      return { reason: 'approval_pending', approvalId, intervalSeconds, expiresInSeconds }
    }
    case 'scope_missing': {
      const missingScopes = error.requiredScopes.filter(
        (scope) => !error.grantedScopes.includes(scope),
      )
      return { reason, agentId, calledAgentId: error.agentId, missingScopes }
    }
    case 'token_refused':
      return {
        reason,
        agentId,
        calledAgentId: error.agentId,
        missingScopes: error.requiredScopes,
      }
    case 'scope_missing_further_on':
      return { reason, ...error.furtherOn, missingScopes: error.requiredScopes }
  }
}
