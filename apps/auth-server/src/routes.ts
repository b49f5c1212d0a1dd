// The table of the OAuth side: which endpoint answers where.
import {
  AUTHORIZATION_SERVER_METADATA_PATH,
  type AuthorizationServerMetadata,
} from '@deputy/auth/protocol'
import type { JSONWebKeySet } from 'jose'
import { authorizeEndpoint } from './endpoints/authorize.ts'
import { ENDPOINT_PATH } from './endpoints/metadata.ts'
import type { OAuthRoutes } from './http/oauth-listener.ts'
import type { Endpoint } from './http/oauth-request.ts'

export type RoutesOptions = {
  readonly metadata: AuthorizationServerMetadata
  readonly publicKeys: () => JSONWebKeySet
  readonly token: Endpoint
  readonly introspect: Endpoint
  readonly revoke: Endpoint
}

/** How long verifiers may keep the JWKS and the metadata, in seconds. */
export const PUBLIC_CACHE_SECONDS = 60

const PUBLIC = { 'cache-control': `public, max-age=${String(PUBLIC_CACHE_SECONDS)}` }

/** Creates the routes. */
export function createRoutes(options: RoutesOptions): OAuthRoutes {
  const { introspect, metadata, publicKeys, revoke, token } = options
  return {
    [ENDPOINT_PATH.token]: { POST: token },
    [ENDPOINT_PATH.introspect]: { POST: introspect },
    [ENDPOINT_PATH.revoke]: { POST: revoke },
    [ENDPOINT_PATH.authorize]: { GET: authorizeEndpoint, POST: authorizeEndpoint },
    [ENDPOINT_PATH.jwks]: { GET: () => ({ headers: PUBLIC, body: publicKeys() }) },
    [AUTHORIZATION_SERVER_METADATA_PATH]: { GET: () => ({ headers: PUBLIC, body: metadata }) },
  }
}
