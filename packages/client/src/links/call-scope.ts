import type { Deadline } from '@deputy/auth/protocol'

/**
 * What a call is made for: a handler's `ctx`, or the part of it that says for how long and in which trace. Its end ends the
 * call, its time is the call's time, and the call goes on in its trace.
 */
export type CallScope = {
  readonly getSignal?: (() => AbortSignal) | undefined
  readonly getDeadline?: (() => Deadline | undefined) | undefined
  /** The header with which further calls go on in the trace (W3C Trace Context §3.2). */
  readonly traceparent?: string | undefined
}

/** The same as a service behind a router has it. */
export type ServiceCallScope = {
  readonly signal?: AbortSignal | undefined
  readonly deadline?: Deadline | undefined
  readonly traceparent?: string | undefined
}

/** What it says, in either way. */
export function readScope(scope: CallScope | ServiceCallScope = {}): {
  readonly signal: AbortSignal | undefined
  readonly deadline: Deadline | undefined
  readonly traceparent: string | undefined
} {
  const { traceparent } = scope
  // A handler's context has a `deadline` of its own, which is another thing.
  if ('getSignal' in scope || 'getDeadline' in scope) {
    return { signal: scope.getSignal?.(), deadline: scope.getDeadline?.(), traceparent }
  }
  return 'signal' in scope || 'deadline' in scope
    ? { signal: scope.signal, deadline: scope.deadline, traceparent }
    : { signal: undefined, deadline: undefined, traceparent }
}
