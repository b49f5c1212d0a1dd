import { startTimer, systemClock, type Clock, type Deadline } from '@deputy/auth/protocol'
import { TRPCClientError, type Operation, type TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { observable } from '@trpc/server/observable'
import { ClientError } from './error/client-error.ts'
import { followCall, toHint } from './links/call-progress.ts'
import { noteDeadline, readDeadline, startDeadline } from './links/deadline.ts'

export type TimeoutLinkOptions = {
  readonly clock?: Clock | undefined
  /** Of the call that all calls of the client are made for. */
  readonly inherited?: Deadline | undefined
}

/**
 * Creates a link that gives up on a query or a mutation after so long, getting a token included, and
 * cancels what is under way. A call that is made for another one has no more time than that has left; one that has
 * none left is not sent. Subscriptions live as long as they like, or as long as what they are made for.
 */
export function createTimeoutLink<Router extends AnyTRPCRouter>(
  timeoutMs: number,
  { clock = systemClock, inherited }: TimeoutLinkOptions = {},
): TRPCLink<Router> {
  function findTimeMs(op: Operation): number | undefined {
    const times = [readDeadline(op), inherited].flatMap((one) => one?.remainingMs() ?? [])
    if (op.type !== 'subscription') times.push(timeoutMs)
    return times.length === 0 ? undefined : Math.min(...times)
  }

  return () =>
    ({ next, op }) => {
      const timeMs = findTimeMs(op)
      if (timeMs === undefined) return next(op)
      const { op: followed, progress } = followCall(op)
      return observable((observer) => {
        // Ending in an error also unsubscribes, and must come first: over WebSocket, a call that is
        // cancelled completes, and would tell its caller nothing of the deadline.
        const giveUp = (): void => {
          const { mayBeDone } = progress
          const done = mayBeDone ? 'answered' : 'sent'
          const message = `${op.path} was not ${done} within ${String(Math.ceil(timeMs))} ms`
          const hint = toHint(progress)
          const error = new ClientError({ code: 'deadline_exceeded', message, hint, mayBeDone })
          observer.error(TRPCClientError.from(error))
        }
        if (timeMs <= 0) {
          giveUp()
          return undefined
        }
        const sent = next(noteDeadline(followed, startDeadline(timeMs, clock))).subscribe(observer)
        const timer = startTimer(clock, timeMs, giveUp)
        return () => {
          timer.cancel()
          sent.unsubscribe()
        }
      })
    }
}
