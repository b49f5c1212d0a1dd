// Whether a call that failed is sent again, and when: queries, mutations with an idempotency key, and whatever was
// certainly not carried out. Within a budget, so that a hundred callers of an agent in trouble do not become four
// hundred.
import type { Operation } from '@trpc/client'
import type { ClientError } from '../error/client-error.ts'
import { findCallFate } from './lost-call.ts'
import { createRetryBudget, type RetryBudget } from './retry-budget.ts'

export type RetryPolicy = {
  /** Times that a call is sent at most. Default 3. */
  readonly maxAttempts?: number | undefined
  /** Wait before the second attempt, in milliseconds; twice that before the third. Spread at random. Default 100. */
  readonly firstWaitMs?: number | undefined
  /** A server that wants to be left alone (`Retry-After`) for longer is not waited for. Default 10 seconds. */
  readonly maxRetryAfterSeconds?: number | undefined
  /**
   * Whether a mutation can be sent twice and is carried out once. Default: its input has an
   * `idempotencyKey`.
   */
  readonly isIdempotent?: ((op: Pick<Operation, 'input' | 'path'>) => boolean) | undefined
  readonly random?: (() => number) | undefined
}

export type SentCall = {
  /** How often it was sent. */
  readonly attempt: number
  /** How long its caller still waits, in milliseconds. */
  readonly leftMs: number
}

export type Retry = {
  /**
   * How long to wait before the call is sent again, in milliseconds; `undefined` where it is not. Takes from the
   * budget.
   */
  findWaitMs(op: Operation, error: ClientError, call: SentCall): number | undefined
  /** Whether a call can be sent twice and is carried out once. */
  isIdempotent(op: Operation): boolean
  /** A call was answered. */
  noteSuccess(): void
}

/** Refusals of an agent that come before the procedure, and that pass. */
export const NOT_CARRIED_OUT: ReadonlySet<string> = new Set([
  'rate_limited',
  'too_many_calls',
  'verifier_unavailable',
  'limit_unavailable',
])

/** Creates it for one client. @param budget where several clients share one */
export function createRetry(
  policy: RetryPolicy = {},
  budget: RetryBudget = createRetryBudget(),
): Retry {
  const { firstWaitMs = 100, maxAttempts = 3, maxRetryAfterSeconds = 10 } = policy
  const { isIdempotent = hasIdempotencyKey, random = Math.random } = policy

  function canRepeat(op: Operation, error: ClientError): boolean {
    if (op.type === 'subscription') return false
    const isSafe = op.type === 'query' || isIdempotent(op)
    if (NOT_CARRIED_OUT.has(error.code)) return isSafe || error.mayBeDone !== true
    const fate = findCallFate(error)
    return fate === 'unsent' || (fate === 'lost' && isSafe)
  }

  return Object.freeze({
    findWaitMs(op: Operation, error: ClientError, { attempt, leftMs }: SentCall) {
      const { retryAfterSeconds = 0 } = error
      if (attempt >= maxAttempts || retryAfterSeconds > maxRetryAfterSeconds) return undefined
      const spread = 0.5 + random() / 2
      const waitMs = retryAfterSeconds * 1000 + firstWaitMs * 2 ** (attempt - 1) * spread
      return waitMs < leftMs && canRepeat(op, error) && budget.take() ? waitMs : undefined
    },
    isIdempotent: (op: Operation) => op.type === 'query' || isIdempotent(op),
    noteSuccess: () => {
      budget.noteSuccess()
    },
  })
}

function hasIdempotencyKey({ input }: Pick<Operation, 'input'>): boolean {
  if (typeof input !== 'object' || input === null || !('idempotencyKey' in input)) return false
  return typeof input.idempotencyKey === 'string' && input.idempotencyKey !== ''
}
