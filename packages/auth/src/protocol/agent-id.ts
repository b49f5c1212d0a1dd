import * as z from 'zod'

/**
 * An agent's id, also its OAuth `client_id` and the `aud` of tokens meant for it: lower-case words
 * parted by hyphens, 2 to 64 characters, like `agent-billing-v2`.
 */
export const AgentId = z
  .string()
  .min(2)
  .max(64)
  .regex(
    /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/,
    'must be lower-case words parted by hyphens, like agent-billing-v2',
  )
export type AgentId = z.infer<typeof AgentId>
