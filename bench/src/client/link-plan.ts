import * as z from 'zod'

/** What the process that compares links is told. */
export const LinkPlan = z.object({
  agentUrl: z.url(),
  credentials: z.object({ issuer: z.url(), clientId: z.string(), clientSecret: z.string() }),
  target: z.object({ audience: z.string(), scopes: z.array(z.string()) }),
  slices: z.int().min(1),
})
export type LinkPlan = z.infer<typeof LinkPlan>

/** What it says: that a round is over, and in the end the slices of each. */
export const LinkMessage = z.union([
  z.object({ round: z.int() }),
  z.object({ callsPerSecond: z.record(z.string(), z.array(z.number())) }),
])
