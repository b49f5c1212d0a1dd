// Sends a call again that failed on the way, where that is safe: queries, mutations with an idempotency
// key, and whatever was certainly not carried out. Within a budget, so that a hundred callers of an agent
// in trouble do not become four hundred.
import { startTimer, systemClock, type Clock, type Timer } from '@deputy/auth/protocol'
import { TRPCClientError, type Operation, type TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { observable, type Unsubscribable } from '@trpc/server/observable'
import type { ClientError } from '../error/client-error.ts'
import { toClientError } from '../error/to-client-error.ts'
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

export type RetryLinkOptions = {
  /** Where clients share one. Default: the link has its own. */
  readonly budget?: RetryBudget | undefined
  readonly clock?: Clock | undefined
}

/** Refusals of an agent that come before the procedure, and that pass. */
export const NOT_CARRIED_OUT: ReadonlySet<string> = new Set([
  'rate_limited',
  'too_many_calls',
  'verifier_unavailable',
  'limit_unavailable',
])

/**
 * Creates the link. It stands before the auth link, so that each attempt has the authorization of its moment.
 */
export function createRetryLink<Router extends AnyTRPCRouter>(
  policy: RetryPolicy = {},
  { budget = createRetryBudget(), clock = systemClock }: RetryLinkOptions = {},
): TRPCLink<Router> {
  const { firstWaitMs = 100, maxAttempts = 3, maxRetryAfterSeconds = 10 } = policy
  const isIdempotent = policy.isIdempotent ?? hasIdempotencyKey
  const random = policy.random ?? Math.random

  function canRepeat(op: Operation, error: ClientError): boolean {
    if (op.type === 'subscription') return false
    if (NOT_CARRIED_OUT.has(error.code)) return true
    const fate = findCallFate(error)
    return fate === 'unsent' || (fate === 'lost' && (op.type === 'query' || isIdempotent(op)))
  }

  function toWaitMs(attempt: number, { retryAfterSeconds = 0 }: ClientError): number {
    return retryAfterSeconds * 1000 + firstWaitMs * 2 ** (attempt - 1) * (0.5 + random() / 2)
  }

  return () =>
    ({ next, op }) =>
      observable((observer) => {
        let sent: Unsubscribable | undefined
        let timer: Timer | undefined

        function send(attempt: number): void {
          sent = next(op).subscribe({
            next(value) {
              observer.next(value)
            },
            complete() {
              budget.noteSuccess()
              observer.complete()
            },
            error(cause) {
              const error = toClientError(cause)
              const isTooLong = (error.retryAfterSeconds ?? 0) > maxRetryAfterSeconds
              if (attempt < maxAttempts && !isTooLong && canRepeat(op, error) && budget.take()) {
                timer = startTimer(clock, toWaitMs(attempt, error), () => {
                  send(attempt + 1)
                })
                return
              }
              observer.error(TRPCClientError.from(error))
            },
          })
        }

        send(1)
        return () => {
          timer?.cancel()
          sent?.unsubscribe()
        }
      })
}

function hasIdempotencyKey({ input }: Pick<Operation, 'input'>): boolean {
  if (typeof input !== 'object' || input === null || !('idempotencyKey' in input)) return false
  return typeof input.idempotencyKey === 'string' && input.idempotencyKey !== ''
}
