import * as z from 'zod'
import { AuthorizationDetailsClaim } from './access-token-claims.ts'
import { NonEmptyText, OptionalText } from './text.ts'

/** The answer of the token endpoint (RFC 6749 §5.1). `expires_in` is in seconds. */
export const TokenResponse = z.object({
  access_token: NonEmptyText,
  /** `DPoP` when the token is bound to the key that proved itself (RFC 9449 §5). */
  token_type: z.enum(['Bearer', 'DPoP']),
  expires_in: z.number().int().positive(),
  scope: z.string(),
  /** Of a token that was exchanged (RFC 8693 §2.2.1). */
  issued_token_type: OptionalText,
  /** As they are in the token (RFC 9396 §7). */
  authorization_details: AuthorizationDetailsClaim.optional(),
})
export type TokenResponse = z.infer<typeof TokenResponse>
