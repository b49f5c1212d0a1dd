import { importJWK, type JWK } from 'jose'
import * as oauth from 'oauth4webapi'
import { ClientError } from '../error/client-error.ts'
import { once } from '../once.ts'
import type { ClientAuthentication } from '../token/token-endpoint.ts'
import { toClientCredentials, type ClientCredentials } from './client-credentials.ts'
import { createOAuthClient, type OAuthClientSettings } from './oauth-client.ts'

export type PrivateKeyJwtOptions = OAuthClientSettings & {
  /**
   * The authorization server that knows this client's key. Left out, the agent that is called says whom to
   * ask (RFC 9728): an assertion is of no use anywhere but at the issuer that it names.
   */
  readonly issuer?: string | undefined
  /** A private JWK, or a key that signs. */
  readonly key: JWK | oauth.CryptoKey
  /** Names the key, where the server knows several. Default: that of the JWK. */
  readonly keyId?: string | undefined
}

/**
 * Credentials by a key (RFC 7523 §2.2, `private_key_jwt`): each request for a token goes with an assertion
 * of its own, and the key never leaves the process. Throws `TypeError` at once for a key that is not
 * private, without repeating it.
 */
export function privateKeyJwt(options: PrivateKeyJwtOptions): ClientCredentials {
  const { clientId, key, keyId, ...settings } = options
  const authenticate = createAssertionAuthentication(key, keyId)
  const client = createOAuthClient({ ...settings, clientId, authenticate })
  const grant = { type: 'client_credentials', toKey: () => 'client_credentials' }
  const at = options.issuer === undefined ? '' : ` at ${options.issuer}`
  return toClientCredentials(client, grant, `privateKeyJwt(${clientId}${at})`)
}

const CURVES: Readonly<Record<string, string>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'Ed25519',
}

/** The algorithm of a key that names none (RFC 7518 §3.1, RFC 9864 §2.2). */
function toAlgorithm({ alg, crv, kty }: JWK): string {
  const algorithm = alg ?? (kty === 'RSA' ? 'RS256' : CURVES[crv ?? ''])
  if (algorithm !== undefined) return algorithm
  throw new TypeError('the key of a client must be RSA, P-256, P-384, P-521 or Ed25519')
}

function createAssertionAuthentication(
  key: JWK | oauth.CryptoKey,
  keyId: string | undefined,
): ClientAuthentication {
  if (key instanceof CryptoKey) {
    if (key.type !== 'private' || !key.usages.includes('sign')) {
      throw new TypeError('the key of a client must be a private one that signs')
    }
    return oauth.PrivateKeyJwt(keyId === undefined ? key : { key, kid: keyId })
  }
  const kid = keyId ?? key.kid
  if (typeof key.d !== 'string') throw new TypeError('the key of a client must be a private JWK')
  const algorithm = toAlgorithm(key)
  const getAuthentication = once(async () => {
    const read = await importJWK(key, algorithm).catch(() => undefined)
    if (read === undefined || read instanceof Uint8Array) {
      throw new ClientError({
        code: 'credentials_invalid',
        message: `the key of the client is no private key for ${algorithm}`,
        hint: 'Give the whole JWK, as it was made: kty, its members, and alg where it has one.',
      })
    }
    return oauth.PrivateKeyJwt(kid === undefined ? read : { key: read, kid })
  })
  return async (...request) => {
    const authenticate = await getAuthentication()
    await authenticate(...request)
  }
}
