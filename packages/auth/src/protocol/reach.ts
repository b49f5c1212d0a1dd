// How far a revocation would reach at one agent: asked over the revocation feed before it is made, answered
// by `POST` to the feed's own address (docs/adr/0015).
import * as z from 'zod'
import { NonEmptyText } from './text.ts'

const Ids = z.array(NonEmptyText.max(512)).max(1000)

/** What would be denied: the data of the event `reach`. */
export const ReachQuestion = z.object({
  id: NonEmptyText.max(64),
  /** Ids of grant paths, with all that stands on them. */
  grants: Ids,
  /** Ids of agents, with all that they hold or act in. */
  agents: Ids,
})
export type ReachQuestion = z.infer<typeof ReachQuestion>

/** What the agent knows to depend on it. */
export const ReachAnswer = z.object({
  /** Calls, batches, streams and sockets that are under way and would end. */
  open: z.int().nonnegative(),
  /** Money that is held below the grants, one entry a currency, in its major unit: `"0.35"`. */
  held: z
    .array(
      z.object({
        currency: z.string().regex(/^[A-Z]{3}$/),
        amount: z.string().regex(/^\d{1,15}(?:\.\d{1,4})?$/),
      }),
    )
    .max(20)
    .default([]),
})
export type ReachAnswer = z.infer<typeof ReachAnswer>
