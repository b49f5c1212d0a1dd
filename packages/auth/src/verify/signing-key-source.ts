// Where a verifier gets the issuer's public keys from. Two adapters: a fixed set (the authorization
// server verifying its own tokens) and the issuer's JWKS over HTTP.
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose'
import {
  createIssuerDiscovery,
  DEFAULT_ISSUER_TIMEOUT_MS,
  type IssuerDiscoveryOptions,
} from './issuer-discovery.ts'

/** Picks the key for a token's header, as jose wants it. Throws jose's errors when there is none. */
export type SigningKeySource = JWTVerifyGetKey

/** The keys could not be fetched: the issuer is down or answers nonsense. Not the token's fault. */
export class SigningKeysUnavailableError extends Error {
  override readonly name = 'SigningKeysUnavailableError'
  readonly code = 'signing_keys_unavailable'
}

export type RemoteSigningKeySourceOptions = IssuerDiscoveryOptions & {
  /** After a fetch, how long an unknown `kid` causes no further one. Default 30,000 ms. */
  readonly cooldownMs?: number | undefined
}

/** Serves keys from a set that is at hand. */
export function createLocalSigningKeySource(keys: JSONWebKeySet): SigningKeySource {
  return createLocalJWKSet(keys)
}

/**
 * Serves keys from the issuer's JWKS, found through its metadata (RFC 8414) on first use. One fetch
 * at a time however many callers; a failed discovery is tried again by the next caller. Rejects with
 * `SigningKeysUnavailableError` when the issuer cannot be asked.
 */
export function createRemoteSigningKeySource(
  issuer: string,
  options: RemoteSigningKeySourceOptions = {},
): SigningKeySource {
  const discover = createIssuerDiscovery(issuer, options)
  let remoteKeySet: JWTVerifyGetKey | undefined

  async function findKeySet(): Promise<JWTVerifyGetKey> {
    const { jwks_uri: uri } = await discover()
    remoteKeySet ??= createRemoteJWKSet(new URL(uri), {
      timeoutDuration: options.timeoutMs ?? DEFAULT_ISSUER_TIMEOUT_MS,
      cooldownDuration: options.cooldownMs ?? 30_000,
      ...(options.fetch === undefined ? {} : { [customFetch]: options.fetch }),
    })
    return remoteKeySet
  }

  return async (header, token) => {
    let getKey: JWTVerifyGetKey
    try {
      getKey = await findKeySet()
    } catch (cause) {
      throw new SigningKeysUnavailableError(`cannot read the metadata of ${issuer}`, { cause })
    }
    try {
      return await getKey(header, token)
    } catch (cause) {
      if (isAnswerAboutTheKey(cause)) throw cause
      throw new SigningKeysUnavailableError(`cannot read the keys of ${issuer}`, { cause })
    }
  }
}

function isAnswerAboutTheKey(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return (
    code === 'ERR_JWKS_NO_MATCHING_KEY' ||
    code === 'ERR_JWKS_MULTIPLE_MATCHING_KEYS' ||
    code === 'ERR_JOSE_NOT_SUPPORTED'
  )
}
