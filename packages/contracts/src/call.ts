import type { Principal } from '@deputy/auth'
import type { Deadline, SubjectToken } from '@deputy/auth/protocol'
import * as z from 'zod'

/** What a service gets of a call beside its input. */
export type Call = {
  /** Who is calling: verified, and holding the procedure's scopes. */
  readonly principal: Principal
  /** Aborted when the caller gives up, its deadline passes, or its authority ends. */
  readonly signal: AbortSignal | undefined
  /** How long the caller still waits; `undefined` where nobody waits. Not for what goes on after the answer. */
  readonly deadline?: Deadline | undefined
  /** The trace that the call belongs to (W3C Trace Context): 32 hexadecimal digits. */
  readonly traceId?: string | undefined
  /** The header with which further calls go on in it. */
  readonly traceparent?: string | undefined
  /** What the caller presented, to act for it at another agent; `undefined` for an API key. */
  readonly subjectToken?: SubjectToken | undefined
}

/** The context of a handler, as far as a service needs it. */
type HandlerContext = {
  readonly principal: Principal
  readonly traceId: string
  readonly traceparent?: string | undefined
  getSignal(): AbortSignal
  getDeadline?(): Deadline | undefined
  getSubjectToken(): SubjectToken | undefined
}

/** Hands a call to the service behind a router. */
export function toCall(ctx: HandlerContext): Call {
  return {
    principal: ctx.principal,
    traceId: ctx.traceId,
    traceparent: ctx.traceparent,
    signal: ctx.getSignal(),
    deadline: ctx.getDeadline?.(),
    subjectToken: ctx.getSubjectToken(),
  }
}

/** A call that an agent made to another one on the way to its answer, so that a person can follow it. */
export const CallRecord = z.object({
  from: z.string(),
  to: z.string(),
  procedure: z.string(),
  scopes: z.array(z.string()),
  subject: z.string().optional().describe('whose authority it was, where not its own'),
  outcome: z.string().describe('"ok", or the reason of the refusal'),
  durationMs: z.number().min(0),
})
export type CallRecord = z.infer<typeof CallRecord>
