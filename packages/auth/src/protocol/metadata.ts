// Metadata documents: of the authorization server (RFC 8414) and of an agent as protected resource (RFC 9728).
import * as z from 'zod'
import { OptionalText, OptionalTexts, OptionalUrl, Texts, Url } from './text.ts'

/** Where the authorization server publishes its metadata, for an issuer without a path (RFC 8414 §3). */
export const AUTHORIZATION_SERVER_METADATA_PATH = '/.well-known/oauth-authorization-server'

/** Where an agent publishes its metadata (RFC 9728 §3). */
export const PROTECTED_RESOURCE_METADATA_PATH = '/.well-known/oauth-protected-resource'

/** What the authorization server says of itself (RFC 8414 §2); members that Deputy does not read are let through. */
export const AuthorizationServerMetadata = z.looseObject({
  issuer: Url,
  token_endpoint: Url,
  jwks_uri: Url,
  authorization_endpoint: OptionalUrl,
  introspection_endpoint: OptionalUrl,
  revocation_endpoint: OptionalUrl,
  /** Deputy's own: what was revoked, as server-sent events. */
  revocation_feed_endpoint: OptionalUrl,
  registration_endpoint: OptionalUrl,
  scopes_supported: OptionalTexts,
  response_types_supported: Texts,
  grant_types_supported: OptionalTexts,
  token_endpoint_auth_methods_supported: OptionalTexts,
})
export type AuthorizationServerMetadata = z.infer<typeof AuthorizationServerMetadata>

/** What an agent says of itself (RFC 9728 §2). */
export const ProtectedResourceMetadata = z.looseObject({
  resource: Url,
  resource_name: OptionalText,
  authorization_servers: z.array(Url).optional(),
  scopes_supported: OptionalTexts,
  /** Limits that it keeps. Not every procedure keeps each: one that does not refuses it. */
  authorization_details_types_supported: OptionalTexts,
  bearer_methods_supported: OptionalTexts,
  dpop_signing_alg_values_supported: OptionalTexts,
  dpop_bound_access_tokens_required: z.boolean().optional(),
})
export type ProtectedResourceMetadata = z.infer<typeof ProtectedResourceMetadata>

/** The URL of an issuer's metadata (RFC 8414 §3.1): the well-known part goes before the issuer's path. */
export function toAuthorizationServerMetadataUrl(issuer: string): URL {
  return insertWellKnown(issuer, AUTHORIZATION_SERVER_METADATA_PATH)
}

/** The URL of an agent's metadata (RFC 9728 §3.1), in the same way. */
export function toProtectedResourceMetadataUrl(resource: string): URL {
  return insertWellKnown(resource, PROTECTED_RESOURCE_METADATA_PATH)
}

function insertWellKnown(identifier: string, path: string): URL {
  const url = new URL(identifier)
  url.pathname = path + url.pathname.replace(/\/$/, '')
  return url
}
