// The table of the OAuth side: which endpoint answers where.
import {
  AUTHORIZATION_SERVER_METADATA_PATH,
  type AuthorizationServerMetadata,
} from '@deputy/auth/protocol'
import type { JSONWebKeySet } from 'jose'
import { authorizeEndpoint } from './endpoints/authorize.ts'
import { ENDPOINT_PATH } from './endpoints/metadata.ts'
import type { RegisterEndpoints } from './endpoints/register.ts'
import type { OAuthRoutes } from './http/oauth-listener.ts'
import type { Endpoint } from './http/oauth-request.ts'
import { JWKS_CACHE_SECONDS } from './keys/key-schedule.ts'

export type RoutesOptions = {
  readonly metadata: AuthorizationServerMetadata
  readonly publicKeys: () => JSONWebKeySet
  readonly token: Endpoint
  readonly introspect: Endpoint
  readonly revoke: Endpoint
  readonly revocations: Endpoint
  readonly reach: Endpoint
  /** Left out where clients may not register themselves. */
  readonly register?: RegisterEndpoints | undefined
}

/** How long verifiers may keep the JWKS and the metadata. */
const PUBLIC = { 'cache-control': `public, max-age=${String(JWKS_CACHE_SECONDS)}` }

/** Creates the routes. */
export function createRoutes(options: RoutesOptions): OAuthRoutes {
  const { introspect, metadata, publicKeys, reach, register, revocations, revoke, token } = options
  return {
    [ENDPOINT_PATH.token]: { POST: token },
    [ENDPOINT_PATH.introspect]: { POST: introspect },
    [ENDPOINT_PATH.revoke]: { POST: revoke },
    [ENDPOINT_PATH.revocations]: { GET: revocations, POST: reach },
    ...(register === undefined
      ? {}
      : {
          [ENDPOINT_PATH.register]: { POST: register.create },
          [`${ENDPOINT_PATH.register}/*`]: {
            GET: register.read,
            PUT: register.replace,
            DELETE: register.remove,
          },
        }),
    [ENDPOINT_PATH.authorize]: { GET: authorizeEndpoint, POST: authorizeEndpoint },
    [ENDPOINT_PATH.jwks]: { GET: () => ({ headers: PUBLIC, body: publicKeys() }) },
    [AUTHORIZATION_SERVER_METADATA_PATH]: { GET: () => ({ headers: PUBLIC, body: metadata }) },
  }
}
