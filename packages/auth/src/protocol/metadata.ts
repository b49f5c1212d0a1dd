// Metadata documents: of the authorization server (RFC 8414) and of an agent as protected resource (RFC 9728).
import * as z from 'zod'

/** Where the authorization server publishes its metadata, for an issuer without a path (RFC 8414 §3). */
export const AUTHORIZATION_SERVER_METADATA_PATH = '/.well-known/oauth-authorization-server'

/** Where an agent publishes its metadata (RFC 9728 §3). */
export const PROTECTED_RESOURCE_METADATA_PATH = '/.well-known/oauth-protected-resource'

/** What the authorization server says of itself (RFC 8414 §2); members that Deputy does not read are let through. */
export const AuthorizationServerMetadata = z.looseObject({
  issuer: z.url(),
  token_endpoint: z.url(),
  jwks_uri: z.url(),
  authorization_endpoint: z.url().optional(),
  introspection_endpoint: z.url().optional(),
  revocation_endpoint: z.url().optional(),
  /** Deputy's own: what was revoked, as server-sent events. */
  revocation_feed_endpoint: z.url().optional(),
  registration_endpoint: z.url().optional(),
  scopes_supported: z.array(z.string()).optional(),
  response_types_supported: z.array(z.string()),
  grant_types_supported: z.array(z.string()).optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
})
export type AuthorizationServerMetadata = z.infer<typeof AuthorizationServerMetadata>

/** What an agent says of itself (RFC 9728 §2). */
export const ProtectedResourceMetadata = z.looseObject({
  resource: z.url(),
  resource_name: z.string().optional(),
  authorization_servers: z.array(z.url()).optional(),
  scopes_supported: z.array(z.string()).optional(),
  /** Limits that it keeps. Not every procedure keeps each: one that does not refuses it. */
  authorization_details_types_supported: z.array(z.string()).optional(),
  bearer_methods_supported: z.array(z.string()).optional(),
  dpop_signing_alg_values_supported: z.array(z.string()).optional(),
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
