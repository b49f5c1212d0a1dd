import { importJWK, type JWK } from 'jose'
import * as oauth from 'oauth4webapi'
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

const ALGORITHMS: Readonly<Record<string, string>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'Ed25519',
}

function createAssertionAuthentication(
  key: JWK | oauth.CryptoKey,
  keyId: string | undefined,
): ClientAuthentication {
  if (key instanceof CryptoKey) {
    if (key.type !== 'private') throw new TypeError('the key of a client must be a private one')
    return oauth.PrivateKeyJwt(keyId === undefined ? key : { key, kid: keyId })
  }
  const kid = keyId ?? key.kid
  const algorithm = key.alg ?? ALGORITHMS[key.crv ?? ''] ?? 'RS256'
  if (typeof key.d !== 'string') throw new TypeError('the key of a client must be a private JWK')
  let imported: Promise<ClientAuthentication> | undefined
  return async (...request) => {
    imported ??= importJWK(key, algorithm).then((read) => {
      if (read instanceof Uint8Array)
        throw new TypeError('the key of a client must be a private JWK')
      return oauth.PrivateKeyJwt(kid === undefined ? read : { key: read, kid })
    })
    await (
      await imported
    )(...request)
  }
}
