import * as z from 'zod'

/** An amount in whole minor units (cents for USD), never a fraction, with its ISO 4217 currency. */
export const Money = z.object({
  amountMinor: z.int().min(0).max(1_000_000_000_000),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be three capital letters, like USD'),
})
export type Money = z.infer<typeof Money>
