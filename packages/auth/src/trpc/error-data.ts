// The one place where an error that leaves a procedure becomes what the caller reads. Refusals keep
// their public words; input errors name the field; anything else is a bug, of which the caller learns
// the correlation id and nothing more. Never a stack trace.
import type { TRPCError } from '@trpc/server'
import * as z from 'zod'
import { toPublicRefusal } from '../public-refusal.ts'
import type { Refusal } from '../refusal.ts'
import {
  toPublicLimit,
  type PublicApproval,
  type PublicLimit,
} from '../token-limit/public-limit-refusal.ts'
import { AuthError } from './auth-error.ts'
import { BegunMutationError } from './begun-mutation.ts'
import { CallRefusal } from './call-refusal.ts'

/** What is in the error's `data`, beside tRPC's own `code`, `httpStatus` and `path`. */
export type AgentErrorData = {
  /** Stable name of why the call was turned down. */
  readonly reason: string
  /** What the caller can do about it. */
  readonly hint: string
  /** For `scope_missing`: what the procedure needs; for `scope_missing_further_on`: what is missing. Otherwise empty. */
  readonly requiredScopes: readonly string[]
  /** For `scope_missing`: what the credential holds. Otherwise empty. */
  readonly grantedScopes: readonly string[]
  /** For `input_invalid`: each field at fault. Otherwise empty. */
  readonly issues: readonly { readonly path: string; readonly message: string }[]
  /** For `scope_missing_further_on`: the agent that lacks the scopes, and the one that it called, where that is known. */
  readonly furtherOn?:
    | { readonly agentId: string; readonly calledAgentId?: string | undefined }
    | undefined
  /** For `rate_limited` and `too_many_calls`: when to try again. On HTTP also in `Retry-After`. */
  readonly retryAfterSeconds?: number | undefined
  /** For a limit that stands in the way: what it says. */
  readonly limit?: PublicLimit | undefined
  /**
   * For `approval_required` and `approval_mismatch`: what would have to be approved. For
   * `approval_pending` and `approval_denied`: which approval it is.
   */
  readonly approval?: PublicApproval | undefined
  /** For `dpop_nonce_required`: the nonce (RFC 9449 §9). On HTTP also in `DPoP-Nonce`; streams and sockets have no header. */
  readonly dpopNonce?: string | undefined
  /**
   * `true` where a mutation was ended in the middle: by its deadline, the end of its caller's authority, or a refusal of
   * its own after which callers send a call again.
   */
  readonly mayBeDone?: boolean | undefined
}

/** What of an error is public. */
export type PublicError = { readonly message: string; readonly data: AgentErrorData }

const NOTHING = { requiredScopes: [], grantedScopes: [], issues: [] }

/** Decides what the caller is told of an error. */
export function toPublicError(error: TRPCError): PublicError {
  if (error instanceof AuthError) return fromRefusal(error)
  if (error instanceof BegunMutationError) {
    const { data, message } = toPublicError(error.original)
    return { message, data: { ...data, mayBeDone: true } }
  }
  if (error instanceof CallRefusal) {
    return { message: error.message, data: { ...NOTHING, reason: error.reason, hint: error.hint } }
  }
  if (error.code === 'INTERNAL_SERVER_ERROR') {
    return {
      message: 'The agent failed to answer this call',
      data: {
        ...NOTHING,
        reason: 'internal_error',
        hint: "This is a fault of the agent, not of the call. Its operator finds it in the log under the error's correlationId.",
      },
    }
  }
  if (error.cause instanceof z.core.$ZodError) return fromInput(error.cause)
  // tRPC's own refusals (unknown path, unparseable body, method not allowed, body too large, …):
  // their messages name the request's own fault.
  return {
    message: error.message,
    data: {
      ...NOTHING,
      reason: error.code.toLowerCase(),
      hint: 'Check the path, the HTTP method and the body against the agent’s contract.',
    },
  }
}

function fromRefusal({ mayBeDone, refusal }: AuthError): PublicError {
  const { hint, message, reason } = toPublicRefusal(refusal)
  const scopes = toScopes(refusal)
  const wait =
    'retryAfterSeconds' in refusal ? { retryAfterSeconds: refusal.retryAfterSeconds } : {}
  const nonce = refusal.reason === 'dpop_nonce_required' ? { dpopNonce: refusal.nonce } : {}
  const limit = toPublicLimit(refusal)
  const done = mayBeDone ? { mayBeDone } : {}
  return {
    message,
    data: { ...NOTHING, ...scopes, ...wait, ...nonce, ...limit, ...done, reason, hint },
  }
}

function toScopes(
  refusal: Refusal,
): Partial<Pick<AgentErrorData, 'requiredScopes' | 'grantedScopes' | 'furtherOn'>> {
  if (refusal.reason === 'scope_missing') {
    return { requiredScopes: refusal.requiredScopes, grantedScopes: refusal.grantedScopes }
  }
  if (refusal.reason !== 'scope_missing_further_on') return {}
  const { agentId, calledAgentId, missingScopes } = refusal
  return { requiredScopes: missingScopes, furtherOn: { agentId, calledAgentId } }
}

function fromInput(error: z.core.$ZodError): PublicError {
  const issues = error.issues.map((issue) => ({
    path: issue.path.map(String).join('.'),
    message: issue.message,
  }))
  const first = issues[0]
  const where = first === undefined || first.path === '' ? 'input' : `input.${first.path}`
  return {
    message: `Invalid input: ${where}: ${first?.message ?? 'does not fit'}`,
    data: {
      ...NOTHING,
      issues,
      reason: 'input_invalid',
      hint: 'Correct the fields named in issues and call again.',
    },
  }
}
