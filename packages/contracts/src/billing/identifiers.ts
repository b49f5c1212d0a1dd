import { AgentId } from '@deputy/auth/protocol'
import * as z from 'zod'

/** Names one thing that billing made. */
export const Id = z.string().min(1).max(64)

/** Whose book an operator works on: its own organisation's where left out. */
export const OwnerId = AgentId.optional().describe(
  "another organisation's, for operators of `system`",
)

/** What can be bought, like `research.brief`. */
export const Service = z
  .string()
  .max(64)
  .regex(/^[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*$/, 'must be a noun and a verb, like research.brief')
