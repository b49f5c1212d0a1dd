import type { Principal } from '@deputy/auth'
import * as z from 'zod'

/** What a service gets of a call beside its input. */
export type Call = {
  /** Who is calling: verified, and holding the procedure's scopes. */
  readonly principal: Principal
  /** Aborted when the caller gives up. */
  readonly signal: AbortSignal | undefined
}

/** A call that an agent made to another one on the way to its answer, so that a person can follow it. */
export const CallRecord = z.object({
  from: z.string(),
  to: z.string(),
  procedure: z.string(),
  scopes: z.array(z.string()),
  outcome: z.string().describe('"ok", or the reason of the refusal'),
  durationMs: z.number().min(0),
})
export type CallRecord = z.infer<typeof CallRecord>
