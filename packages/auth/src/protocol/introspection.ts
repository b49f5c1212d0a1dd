import * as z from 'zod'
import { AccessTokenClaims } from './access-token-claims.ts'

/** What is said of a key as well is said as a token says it. */
const claims = AccessTokenClaims.shape

/**
 * The answer of the introspection endpoint (RFC 7662 §2.2). `token_type` is `Bearer` for an access
 * token, `DPoP` for one that is bound to a key, and `api_key` for an API key, whose `jti` is then the key's id.
 */
export const IntrospectionResponse = z.discriminatedUnion('active', [
  z.object({ active: z.literal(false) }),
  z.object({
    active: z.literal(true),
    token_type: z.enum(['Bearer', 'DPoP', 'api_key']),
    iss: claims.iss,
    sub: claims.sub,
    aud: claims.aud,
    client_id: claims.client_id,
    owner_id: claims.owner_id,
    jti: claims.jti,
    scope: z.string(),
    iat: claims.iat,
    exp: claims.exp.optional(),
    act: claims.act,
    cnf: claims.cnf,
    authorization_details: claims.authorization_details,
    rate_limit_tier: claims.rate_limit_tier,
  }),
])
export type IntrospectionResponse = z.infer<typeof IntrospectionResponse>
