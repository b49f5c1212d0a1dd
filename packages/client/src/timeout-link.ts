import { startTimer, systemClock, type Clock } from '@deputy/auth/protocol'
import { TRPCClientError, type TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { observable } from '@trpc/server/observable'
import { ClientError } from './error/client-error.ts'

/**
 * Creates a link that gives up on a query or a mutation after so long, getting a token included, and
 * cancels what is under way. Subscriptions live as long as they like.
 */
export function createTimeoutLink<Router extends AnyTRPCRouter>(
  timeoutMs: number,
  clock: Clock = systemClock,
): TRPCLink<Router> {
  return () =>
    ({ next, op }) =>
      observable((observer) => {
        const sent = next(op).subscribe(observer)
        if (op.type === 'subscription') return sent
        // Ending in an error also unsubscribes, and must come first: over WebSocket, a call that is
        // cancelled completes, and would tell its caller nothing of the deadline.
        const timer = startTimer(clock, timeoutMs, () => {
          const message = `${op.path} was not answered within ${String(timeoutMs)} ms`
          const hint =
            'The call may have been carried out: repeat it with the same idempotency key.'
          const error = new ClientError({ code: 'deadline_exceeded', message, hint })
          observer.error(TRPCClientError.from(error))
        })
        return () => {
          timer.cancel()
          sent.unsubscribe()
        }
      })
}
