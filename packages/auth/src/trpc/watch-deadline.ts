// A call and its deadline: checked before there is any work, and watched until the call is answered or its stream ends.
import type { DeadlineRefusal, Refusal } from '../refusal.ts'
import { AuthError } from './auth-error.ts'
import type { CallDeadline } from './call-deadline.ts'
import { COARSE_MS } from './coarse-timers.ts'
import type { AgentContext } from './context.ts'
import type { WatchEnd } from './until-end.ts'

/** The deadline of a call; of a stream, the one that its caller named, if any. Throws `deadline_invalid`. */
export function requireDeadline(
  { deadline }: Pick<AgentContext, 'deadline'>,
  type: 'query' | 'mutation' | 'subscription',
): CallDeadline | undefined {
  if (deadline === undefined) return undefined
  if (!deadline.ok) throw new AuthError(deadline.refusal)
  return type === 'subscription' ? deadline.value.forStream() : deadline.value
}

/** Throws `deadline_exceeded` for a call that nobody waits for any more. */
export function requireTime(deadline: CallDeadline | undefined): void {
  if (deadline?.remainingMs() === 0) throw new AuthError(toRefusal(deadline))
}

/** What watches over a call, its deadline included. */
export function watchDeadline(
  { abort, watch }: Pick<AgentContext, 'abort' | 'watch'>,
  deadline: CallDeadline | undefined,
): WatchEnd {
  if (deadline === undefined) return watch
  return (onEnd: (refusal: Refusal) => void, readmit) => {
    const unwatch = watch(onEnd, readmit)
    const stop = deadline.onOver(() => {
      const refusal = toRefusal(deadline)
      onEnd(refusal)
      abort?.(new AuthError(refusal))
    })
    return () => {
      stop()
      unwatch()
    }
  }
}

/**
 * What a call is answered with whose handler failed: a handler that ran out of time a moment before its own agent's
 * timer, since the agent that it had called told it so, has met this deadline.
 *
 * @param mayBeDone whether it is a mutation that had begun
 */
export function meetDeadline(
  error: unknown,
  deadline: CallDeadline | undefined,
  mayBeDone: boolean,
): unknown {
  if (deadline === undefined || deadline.remainingMs() > COARSE_MS) return error
  if (readCode(error) !== 'deadline_exceeded') return error
  return new AuthError(toRefusal(deadline), { mayBeDone })
}

/** By its members, not by its class: the client is another package, which this one does not know. */
function readCode(error: unknown): unknown {
  const thrown = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return thrown instanceof Error ? Reflect.get(thrown, 'code') : undefined
}

function toRefusal({ timeoutMs }: CallDeadline): DeadlineRefusal {
  return { reason: 'deadline_exceeded', timeoutMs }
}
