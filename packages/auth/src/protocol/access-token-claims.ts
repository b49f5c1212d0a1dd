// The claims of a Deputy access token: a JWT by RFC 9068, `typ: at+jwt`.
import * as z from 'zod'
import { NonEmptyText, OptionalText } from './text.ts'

/** The JOSE `typ` of an access token (RFC 9068 §2.1). */
export const ACCESS_TOKEN_TYPE = 'at+jwt'

/** Signature algorithms a verifier may be told to accept: asymmetric only, never `none`, never HMAC. */
export const SIGNATURE_ALGORITHMS = ['ES256', 'EdDSA', 'RS256'] as const
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number]

/** An actor (RFC 8693 §4.1): the outermost acts now, nested ones acted before it. */
export type ActClaim = { sub: string; act?: ActClaim | undefined }
export const ActClaim: z.ZodType<ActClaim> = z.object({
  sub: NonEmptyText,
  act: z.lazy(() => ActClaim).optional(),
})

/** The key that a token is bound to (RFC 9449 §6.1): its thumbprint by RFC 7638. */
export const ConfirmationClaim = z.object({ jkt: NonEmptyText })
export type ConfirmationClaim = z.infer<typeof ConfirmationClaim>

/** What a token is limited to beyond its scopes (RFC 9396 §2): objects whose `type` says what they mean. */
export const AuthorizationDetailsClaim = z.array(z.looseObject({ type: NonEmptyText }))
export type AuthorizationDetailsClaim = z.infer<typeof AuthorizationDetailsClaim>

/** Longest `grant_path`: a credential, a task grant, a token, and five hand-overs. */
export const MAX_GRANT_PATH = 8

/**
 * The ids of what a token stands on, the root first: the credential it was obtained with, the task grant
 * if there is one, the tokens that were exchanged on the way, and its own `jti` last. To deny any of
 * them is to deny the token, and everything below.
 */
export const GrantPathClaim = z.array(NonEmptyText.max(64)).min(1).max(MAX_GRANT_PATH)

/** What must be in the payload (RFC 9068 §2.2); times are seconds. Unknown claims are kept out. */
export const AccessTokenClaims = z.object({
  iss: NonEmptyText,
  sub: NonEmptyText,
  aud: z.union([NonEmptyText, z.array(NonEmptyText).min(1)]),
  client_id: NonEmptyText,
  /** The organisation whose authority it is: that of `sub`. */
  owner_id: NonEmptyText.max(64).optional(),
  jti: NonEmptyText,
  exp: z.number(),
  iat: z.number(),
  scope: OptionalText,
  act: ActClaim.optional(),
  cnf: ConfirmationClaim.optional(),
  authorization_details: AuthorizationDetailsClaim.optional(),
  grant_path: GrantPathClaim.optional(),
  /** Who may exchange the token beside those it was issued to and for (RFC 8693 §4.4). */
  may_act: z.object({ sub: NonEmptyText }).optional(),
  /** How many calls the caller may make: the name of a tier that the agent knows. */
  rate_limit_tier: OptionalText,
})
export type AccessTokenClaims = z.infer<typeof AccessTokenClaims>
