// The server's metadata (RFC 8414 §2): generated from what is configured, so that it is complete and true.
import { PROOF_ALGORITHMS, type AuthorizationServerMetadata } from '@deputy/auth/protocol'
import { CLIENT_ASSERTION_ALGORITHMS } from '../clients/client-assertion.ts'
import { CLIENT_AUTHENTICATION_METHODS } from '../clients/client-authentication.ts'

/** Paths of the endpoints, below the issuer. */
export const ENDPOINT_PATH = Object.freeze({
  authorize: '/oauth/authorize',
  token: '/oauth/token',
  introspect: '/oauth/introspect',
  revoke: '/oauth/revoke',
  register: '/oauth/register',
  revocations: '/oauth/revocations',
  jwks: '/.well-known/jwks.json',
})

export type MetadataOptions = {
  readonly issuer: string
  readonly grantTypes: readonly string[]
  /** Whether clients may register themselves (RFC 7591). */
  readonly isRegistrationOpen: boolean
}

/** Writes the metadata. */
export function createMetadata(options: MetadataOptions): AuthorizationServerMetadata {
  const { grantTypes, isRegistrationOpen, issuer } = options
  const at = (path: string): string => issuer.replace(/\/$/, '') + path
  const methods = [...CLIENT_AUTHENTICATION_METHODS]
  const algorithms = [...CLIENT_ASSERTION_ALGORITHMS]
  return {
    issuer,
    // Answers with an explanation. Clients of MCP refuse metadata without it.
    authorization_endpoint: at(ENDPOINT_PATH.authorize),
    token_endpoint: toTokenEndpoint(issuer),
    jwks_uri: at(ENDPOINT_PATH.jwks),
    introspection_endpoint: at(ENDPOINT_PATH.introspect),
    revocation_endpoint: at(ENDPOINT_PATH.revoke),
    // Deputy's own: what was revoked, as server-sent events.
    revocation_feed_endpoint: at(ENDPOINT_PATH.revocations),
    ...(isRegistrationOpen ? { registration_endpoint: at(ENDPOINT_PATH.register) } : {}),
    // Required by RFC 8414 §2; no response types, since no person signs in here.
    response_types_supported: [],
    grant_types_supported: [...grantTypes],
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: algorithms,
    introspection_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_signing_alg_values_supported: algorithms,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: algorithms,
    dpop_signing_alg_values_supported: [...PROOF_ALGORITHMS],
  }
}

/** Where the token endpoint of an issuer is. */
export function toTokenEndpoint(issuer: string): string {
  return issuer.replace(/\/$/, '') + ENDPOINT_PATH.token
}
