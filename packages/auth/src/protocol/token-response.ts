import * as z from 'zod'

/** The answer of the token endpoint (RFC 6749 §5.1). `expires_in` is in seconds. */
export const TokenResponse = z.object({
  access_token: z.string().min(1),
  token_type: z.literal('Bearer'),
  expires_in: z.number().int().positive(),
  scope: z.string(),
})
export type TokenResponse = z.infer<typeof TokenResponse>
