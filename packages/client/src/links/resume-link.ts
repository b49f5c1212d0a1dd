// Keeps subscriptions alive: one that ended for a reason that passes (a cut connection, the end of a token, an agent
// that shuts down) is begun again, under the authorization of that moment, after the last event that was delivered.
// The same over every transport, so that none of them reconnects by itself.
import { startTimer, systemClock, type Clock, type Timer } from '@deputy/auth/protocol'
import { TRPCClientError, type Operation, type TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { observable, type Unsubscribable } from '@trpc/server/observable'
import { isInvalidToken } from '../auth-link.ts'
import type { ClientError } from '../error/client-error.ts'
import { toClientError } from '../error/to-client-error.ts'
import { findCallFate } from './lost-call.ts'
import { NOT_CARRIED_OUT } from './retry.ts'

export type ResumePolicy = {
  /** Attempts in a row that bring nothing, after which the subscription fails. Default: it goes on trying. */
  readonly maxAttempts?: number | undefined
  /** Wait before the first attempt, in milliseconds; twice that before the next. Spread at random. Default 500. */
  readonly firstWaitMs?: number | undefined
  /** Longest wait, in milliseconds, unless the agent says otherwise (`Retry-After`). Default 30,000. */
  readonly maxWaitMs?: number | undefined
  readonly random?: (() => number) | undefined
}

/** A stream that was open for so long had begun, whether or not anything came. */
const STABLE_SECONDS = 5

/** The link between two attempts: how often in a row it went wrong, and since when it goes well. */
type Attempts = { failures: number; startedAt: number | undefined; isResumed: boolean }

/** Creates the link. It stands before the auth link, so that each attempt has the authorization of its moment. */
export function createResumeLink<Router extends AnyTRPCRouter>(
  policy: ResumePolicy = {},
  clock: Clock = systemClock,
): TRPCLink<Router> {
  const { firstWaitMs = 500, maxAttempts = Infinity, maxWaitMs = 30_000 } = policy
  const random = policy.random ?? Math.random

  /** How long to wait before the next attempt; `undefined` where another one is of no use. */
  function toWaitMs(error: ClientError, { failures, isResumed }: Attempts): number | undefined {
    if (failures + 1 >= maxAttempts) return undefined
    if (isInvalidToken(error)) {
      // The end of a token: the next one is there, or on its way. Refused again at once, it is the caller that is.
      return failures === 0 ? 0 : undefined
    }
    if (error.code === 'agent_draining' && failures === 0) return 0
    const passes =
      NOT_CARRIED_OUT.has(error.code) ||
      error.code === 'agent_draining' ||
      error.code === 'token_unavailable' ||
      // The agent may not know yet that the stream before this one was cut.
      (error.code === 'too_many_streams' && isResumed) ||
      findCallFate(error) !== 'hopeless'
    if (!passes) return undefined
    const backOffMs = Math.min(firstWaitMs * 2 ** failures, maxWaitMs)
    return (error.retryAfterSeconds ?? 0) * 1000 + backOffMs * (0.5 + random() / 2)
  }

  return () =>
    ({ next, op }) => {
      if (op.type !== 'subscription') return next(op)
      return observable((observer) => {
        const attempts: Attempts = { failures: 0, startedAt: undefined, isResumed: false }
        let lastEventId: string | undefined
        let sent: Unsubscribable | undefined
        let timer: Timer | undefined
        let isOver = false

        function send(): void {
          attempts.startedAt = undefined
          const input = withLastEventId(op.input, lastEventId)
          sent = next({ ...op, input }).subscribe({
            next(value) {
              const { result } = value
              // Of connections, which come and go; what the subscriber is told is about the subscription.
              if (result.type === 'state') return
              if (result.type === 'started') {
                attempts.startedAt ??= clock.now()
                observer.next({ result: { type: 'state', state: 'pending', error: null } })
              } else if (result.type !== 'stopped') {
                attempts.failures = 0
                if ('id' in result && result.id !== undefined) lastEventId = result.id
              }
              observer.next(value)
            },
            complete() {
              observer.next({ result: { type: 'state', state: 'idle', error: null } })
              observer.complete()
            },
            error(cause) {
              if (!isOver) onError(toClientError(cause))
            },
          })
        }

        function onError(error: ClientError): void {
          const { startedAt } = attempts
          if (startedAt !== undefined && clock.now() - startedAt >= STABLE_SECONDS) {
            attempts.failures = 0
          }
          const waitMs = toWaitMs(error, attempts)
          const told = TRPCClientError.from(error)
          if (waitMs === undefined) {
            observer.error(told)
            return
          }
          attempts.failures += 1
          attempts.isResumed = true
          observer.next({ result: { type: 'state', state: 'connecting', error: told } })
          if (!isOver) timer = startTimer(clock, waitMs, send)
        }

        observer.next({ result: { type: 'state', state: 'connecting', error: null } })
        send()
        return () => {
          isOver = true
          timer?.cancel()
          sent?.unsubscribe()
        }
      })
    }
}

/** Where a subscription goes on, as tRPC tells it to a procedure: in its input. */
function withLastEventId(input: Operation['input'], lastEventId: string | undefined): unknown {
  if (lastEventId === undefined) return input
  if (typeof input === 'object' && input !== null) return { ...input, lastEventId }
  return input ?? { lastEventId }
}
