// A mutation that had begun says so where its caller would otherwise send it again.
import { TRPCError } from '@trpc/server'
import type { RefusalReason } from '../refusal.ts'
import { AuthError } from './auth-error.ts'
import { CallRefusal } from './call-refusal.ts'

/** Reasons after which clients send a call again, since as a rule they come before the procedure. */
const REPEATED: ReadonlySet<string> = new Set([
  'rate_limited',
  'too_many_calls',
  'verifier_unavailable',
  'limit_unavailable',
] satisfies RefusalReason[])

/** What waits for an approval is sent again by whoever wants it to be: its input has an idempotency key (docs/adr/0018). */
const AWAITED: ReadonlySet<string> = new Set([
  'approval_pending',
  'approval_denied',
] satisfies RefusalReason[])

/** An error that clients would answer by sending the call again, of a mutation that may have been carried out in part. */
export class BegunMutationError extends TRPCError {
  override readonly name = 'TRPCError'
  readonly original: TRPCError

  constructor(original: TRPCError) {
    super({ code: original.code, message: original.message, cause: original })
    this.original = original
  }
}

/**
 * Marks what the handler of a mutation ended with. Attack prevented: an agent, or its bug, that has a client carry a
 * mutation out twice by asking in the middle of it for another token or a further scope.
 */
export function noteBegun(error: unknown): unknown {
  if (error instanceof AuthError) {
    const isNoted = error.mayBeDone || AWAITED.has(error.refusal.reason)
    return isNoted ? error : new AuthError(error.refusal, { mayBeDone: true })
  }
  if (!(error instanceof TRPCError)) return error
  const isRepeated = error instanceof CallRefusal && REPEATED.has(error.reason)
  return isRepeated || error.code === 'UNAUTHORIZED' ? new BegunMutationError(error) : error
}
