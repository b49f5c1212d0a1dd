// An issuer for tests of verifiers: real ES256 keys, any token that a test can think of, and the
// issuer's documents through an injected `fetch`, so that no port is needed.
import { ACCESS_TOKEN_TYPE } from '@deputy/auth/protocol'
import {
  exportJWK,
  generateKeyPair,
  SignJWT,
  type CryptoKey,
  type JWK,
  type JWTPayload,
} from 'jose'

export const ISSUER = 'https://issuer.example'

export type SigningPair = {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
}

/** Makes a key pair with a name. */
export async function createSigningPair(kid: string): Promise<SigningPair> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  return {
    kid,
    privateKey,
    publicJwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' },
  }
}

/** Signs claims as an access token, or as anything else. */
export async function signToken(
  pair: SigningPair,
  claims: JWTPayload,
  header: { readonly typ?: string | undefined; readonly kid?: string } = {},
): Promise<string> {
  const { typ = ACCESS_TOKEN_TYPE } = header
  return new SignJWT(claims)
    .setProtectedHeader({
      alg: 'ES256',
      kid: header.kid ?? pair.kid,
      ...('typ' in header && header.typ === undefined ? {} : { typ }),
    })
    .sign(pair.privateKey)
}

/** The claims of a good token for `agent-billing-v2`, good for 15 minutes from `now`. */
export function goodClaims(now: number): JWTPayload & Record<string, unknown> {
  return {
    iss: ISSUER,
    sub: 'agent-alice-v1',
    client_id: 'agent-alice-v1',
    aud: 'agent-billing-v2',
    iat: now,
    exp: now + 900,
    jti: 'token-1',
    scope: 'billing:read',
  }
}

export type FakeIssuer = {
  readonly fetch: typeof fetch
  /** Paths that were asked for, in order. */
  readonly requests: string[]
  /** What `/.well-known/jwks.json` serves. */
  keys: readonly JWK[]
  /** Makes every request fail as if the host were gone. */
  isDown: boolean
  /** Changes what the metadata says. */
  metadata: Record<string, unknown>
}

/** Serves the documents of an issuer. */
export function createFakeIssuer(keys: readonly JWK[]): FakeIssuer {
  const issuer: FakeIssuer = {
    requests: [],
    keys,
    isDown: false,
    metadata: {},
    fetch: async (input) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input)
      issuer.requests.push(pathname)
      await Promise.resolve()
      if (issuer.isDown) throw new TypeError('fetch failed')
      if (pathname === '/jwks') return Response.json({ keys: issuer.keys })
      if (pathname === '/.well-known/oauth-authorization-server') {
        return Response.json({
          issuer: ISSUER,
          token_endpoint: `${ISSUER}/token`,
          jwks_uri: `${ISSUER}/jwks`,
          response_types_supported: [],
          ...issuer.metadata,
        })
      }
      return new Response('not found', { status: 404 })
    },
  }
  return issuer
}
