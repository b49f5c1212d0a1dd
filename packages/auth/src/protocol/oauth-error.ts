// Error answers of the token endpoint (RFC 6749 §5.2, RFC 8707 §2, RFC 9396 §5,
// RFC 9449 §5 and §8, RFC 7591 §3.2.2; RFC 6749 §4.1.2.1, OpenID CIBA §11) and of protected resources (RFC 6750 §3.1).
import * as z from 'zod'
import { NonEmptyText, OptionalText } from './text.ts'

/** `error` codes of the token endpoint and the other endpoints that authenticate clients. */
export const OAUTH_ERROR_CODES = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'invalid_authorization_details',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'authorization_pending',
  'access_denied',
  'expired_token',
  'unsupported_response_type',
  'invalid_client_metadata',
  'invalid_token',
  'server_error',
  'temporarily_unavailable',
] as const
export type OAuthErrorCode = (typeof OAUTH_ERROR_CODES)[number]

/** `error` codes of a `WWW-Authenticate: Bearer` challenge (RFC 6750 §3.1). */
export type BearerErrorCode = 'invalid_request' | 'invalid_token' | 'insufficient_scope'

/** The JSON body of an error answer (RFC 6749 §5.2). */
export const OAuthErrorResponse = z.object({
  error: NonEmptyText,
  error_description: OptionalText,
  error_uri: OptionalText,
  /** Names a request that somebody has to approve, or did not approve (CIBA §7.3, §11). */
  auth_req_id: NonEmptyText.max(200).optional(),
  /** Of `authorization_pending`: how long to wait before the request is sent again, in seconds. */
  interval: z.number().positive().optional(),
  /** Of `authorization_pending`: how long the request stays open, in seconds. */
  expires_in: z.number().nonnegative().optional(),
})
export type OAuthErrorResponse = z.infer<typeof OAuthErrorResponse>
