// How long a call is waited for, on its way from the link that decides it to the one that sends it.
import {
  readMs,
  systemClock,
  TIMEOUT_HEADER,
  toTimeoutMs,
  type Clock,
  type Deadline,
} from '@deputy/auth/protocol'
import type { Operation } from '@trpc/client'
import { withMessageParams } from '../message-params.ts'
import { readScope, type CallScope, type ServiceCallScope } from './call-scope.ts'
import { noteTrace } from './trace-context.ts'

/** Name of the deadline in an operation's context. */
const CONTEXT_KEY = 'deputyDeadline'

/** Of a function, so that it is nothing else's by chance. */
class Noted {
  readonly deadline: Deadline
  constructor(deadline: Deadline) {
    this.deadline = deadline
  }
}

/**
 * The options of a call that is made for another one, a handler's `ctx` or a service's call: it ends with it, has no more time
 * than it has, and goes on in its trace.
 * `client.billing.hold.mutate(input, withinCall(ctx))`, for clients that live longer than one call.
 */
export function withinCall(ctx: CallScope | ServiceCallScope): {
  readonly signal?: AbortSignal
  readonly context: Record<string, unknown>
} {
  const { deadline, signal, traceparent } = readScope(ctx)
  return {
    ...(signal === undefined ? {} : { signal }),
    context: {
      ...(deadline === undefined ? {} : { [CONTEXT_KEY]: new Noted(deadline) }),
      ...noteTrace(traceparent),
    },
  }
}

/** Begins a deadline that is over after so many milliseconds. */
export function startDeadline(ms: number, clock: Clock = systemClock): Deadline {
  const overAtMs = readMs(clock) + ms
  return { remainingMs: () => Math.max(0, overAtMs - readMs(clock)) }
}

/** Notes the deadline of a call. */
export function noteDeadline(op: Operation, deadline: Deadline): Operation {
  return { ...op, context: { ...op.context, [CONTEXT_KEY]: new Noted(deadline) } }
}

/** The deadline that was noted. */
export function readDeadline({ context }: Pick<Operation, 'context'>): Deadline | undefined {
  const noted = context[CONTEXT_KEY]
  return noted instanceof Noted ? noted.deadline : undefined
}

/**
 * The header of a request, which has one deadline for all its calls: the latest of them, so that none is ended before
 * its time; none where one of them has none. What is left is measured now.
 */
export function toDeadlineHeaders(
  ops: readonly Pick<Operation, 'context'>[],
): Record<string, string> {
  let latestMs = 0
  for (const op of ops) {
    const deadline = readDeadline(op)
    if (deadline === undefined) return {}
    latestMs = Math.max(latestMs, toTimeoutMs(deadline))
  }
  return ops.length === 0 ? {} : { [TIMEOUT_HEADER]: String(latestMs) }
}

/** The same for a message over WebSocket, which has one deadline for itself. */
export function withDeadlineParams(op: Operation): Operation {
  const deadline = readDeadline(op)
  if (deadline === undefined) return op
  return withMessageParams(op, { timeoutMs: toTimeoutMs(deadline) })
}
