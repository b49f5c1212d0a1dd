import * as z from 'zod'
import { ActClaim, AuthorizationDetailsClaim, ConfirmationClaim } from './access-token-claims.ts'
import { NonEmptyText, OptionalText } from './text.ts'

/**
 * The answer of the introspection endpoint (RFC 7662 §2.2). `token_type` is `Bearer` for an access
 * token, `DPoP` for one that is bound to a key, and `api_key` for an API key, whose `jti` is then the key's id.
 */
export const IntrospectionResponse = z.discriminatedUnion('active', [
  z.object({ active: z.literal(false) }),
  z.object({
    active: z.literal(true),
    token_type: z.enum(['Bearer', 'DPoP', 'api_key']),
    iss: NonEmptyText,
    sub: NonEmptyText,
    aud: z.union([NonEmptyText, z.array(NonEmptyText).min(1)]),
    client_id: NonEmptyText,
    owner_id: NonEmptyText.max(64).optional(),
    jti: NonEmptyText,
    scope: z.string(),
    iat: z.number(),
    exp: z.number().optional(),
    act: ActClaim.optional(),
    cnf: ConfirmationClaim.optional(),
    authorization_details: AuthorizationDetailsClaim.optional(),
    rate_limit_tier: OptionalText,
  }),
])
export type IntrospectionResponse = z.infer<typeof IntrospectionResponse>
