import { AgentId } from '@deputy/auth/protocol'
import * as z from 'zod'

/** Text that both databases take: PostgreSQL has no NUL. */
const plainText = (text: z.ZodString) =>
  text.refine((value) => !value.includes('\0'), 'must have no NUL character')

/** Names one thing that billing made. */
export const Id = plainText(z.string().min(1).max(64))

/** Names something that the caller counts, like a reader. */
export const Key = plainText(z.string().min(1).max(128))

/** Epoch seconds, to the end of the year 9999. */
export const Moment = z.int().min(0).max(253_402_300_799)

/** Why something was done, in the words of whoever did it. */
export const Reason = plainText(z.string().trim().min(1).max(200))

/** Whose book an operator works on: its own organisation's where left out. */
export const OwnerId = AgentId.optional().describe(
  "another organisation's, for operators of `system`",
)

/** What can be bought, like `research.brief`. */
export const Service = z
  .string()
  .max(64)
  .regex(/^[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*$/, 'must be a noun and a verb, like research.brief')
