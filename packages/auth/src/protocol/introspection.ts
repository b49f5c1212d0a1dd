import * as z from 'zod'
import { ActClaim, AuthorizationDetailsClaim, ConfirmationClaim } from './access-token-claims.ts'

/**
 * The answer of the introspection endpoint (RFC 7662 §2.2). `token_type` is `Bearer` for an access
 * token, `DPoP` for one that is bound to a key, and `api_key` for an API key, whose `jti` is then the key's id.
 */
export const IntrospectionResponse = z.discriminatedUnion('active', [
  z.object({ active: z.literal(false) }),
  z.object({
    active: z.literal(true),
    token_type: z.enum(['Bearer', 'DPoP', 'api_key']),
    iss: z.string().min(1),
    sub: z.string().min(1),
    aud: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
    client_id: z.string().min(1),
    owner_id: z.string().min(1).max(64).optional(),
    jti: z.string().min(1),
    scope: z.string(),
    iat: z.number(),
    exp: z.number().optional(),
    act: ActClaim.optional(),
    cnf: ConfirmationClaim.optional(),
    authorization_details: AuthorizationDetailsClaim.optional(),
    rate_limit_tier: z.string().optional(),
  }),
])
export type IntrospectionResponse = z.infer<typeof IntrospectionResponse>
