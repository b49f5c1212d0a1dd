import { accept, isAgentSecret, parseScope, refuse, type Result } from '../protocol/index.ts'
import type { Principal } from '../principal.ts'
import type { CredentialRefusal, TooManyRefusal } from '../refusal.ts'
import type { Introspect } from './introspect.ts'

/** Turns the text of an API key into a principal, or says why not. */
export type ApiKeyVerifier = {
  /**
   * @param from tells the caller's network address, for verifiers that bound what one address can have asked
   */
  verify(key: string, from?: () => string): Promise<Result<Principal, ApiKeyRefusal>>
  /**
   * Calls back whenever something may have changed about the key that gave this principal, until the function that it
   * returns is called. Left out where nobody tells of changes.
   */
  readonly watch?: ((principal: Principal, onChange: () => Promise<void>) => () => void) | undefined
}

/** `rate_limited`: too many keys that do not exist came from the address. */
export type ApiKeyRefusal = CredentialRefusal | TooManyRefusal

export type ApiKeyVerifierOptions = {
  /** This agent's id: the key's agent must be allowed to call it. */
  readonly audience: string
  readonly introspect: Introspect
}

/**
 * Creates a verifier that checks a key's form and checksum offline, then asks the authorization
 * server each time. An agent puts `createVerifiedKeyCache` before it.
 */
export function createApiKeyVerifier(options: ApiKeyVerifierOptions): ApiKeyVerifier {
  const { audience, introspect } = options

  return Object.freeze({
    async verify(key: string): Promise<Result<Principal, CredentialRefusal>> {
      if (!isAgentSecret(key, 'apiKey')) return refuse({ reason: 'api_key_malformed' })
      const answer = await introspect(key)
      if (!answer.ok) return answer
      const found = answer.value
      if (
        !found.active ||
        found.token_type !== 'api_key' ||
        ![found.aud].flat().includes(audience)
      ) {
        return refuse({ reason: 'api_key_invalid' })
      }
      const scopes = found.scope === '' ? accept([]) : parseScope(found.scope)
      if (!scopes.ok)
        return refuse({ reason: 'verifier_unavailable', detail: scopes.refusal.detail })
      return accept({
        agentId: found.client_id,
        subject: found.sub,
        ...(found.owner_id === undefined ? {} : { ownerId: found.owner_id }),
        audience,
        scopes: scopes.value,
        priorActors: [],
        expiresAt: found.exp,
        rateLimitTier: found.rate_limit_tier,
        grantPath: [found.jti],
        limits: found.authorization_details ?? [],
        credential: { kind: 'api_key', id: found.jti },
      })
    },
  })
}
