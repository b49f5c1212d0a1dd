import type { AuthorizationServerMetadata } from '@deputy/auth/protocol'
import { CLIENT_AUTHENTICATION_METHODS } from '../clients/client-authentication.ts'
import { GRANT_TYPES } from './token.ts'

/** Paths of the endpoints, below the issuer. */
export const ENDPOINT_PATH = Object.freeze({
  token: '/oauth/token',
  introspect: '/oauth/introspect',
  jwks: '/.well-known/jwks.json',
})

/** Writes the server's metadata (RFC 8414 §2): what is configured, nothing that is not there. */
export function createMetadata(issuer: string): AuthorizationServerMetadata {
  const base = issuer.replace(/\/$/, '')
  return {
    issuer,
    token_endpoint: base + ENDPOINT_PATH.token,
    jwks_uri: base + ENDPOINT_PATH.jwks,
    introspection_endpoint: base + ENDPOINT_PATH.introspect,
    // Required by RFC 8414 §2; no response types, since no person signs in here.
    response_types_supported: [],
    grant_types_supported: [...GRANT_TYPES],
    token_endpoint_auth_methods_supported: [...CLIENT_AUTHENTICATION_METHODS],
    introspection_endpoint_auth_methods_supported: [...CLIENT_AUTHENTICATION_METHODS],
  }
}
