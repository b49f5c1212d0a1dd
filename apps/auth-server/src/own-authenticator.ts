// The server guards its own admin API as any agent does, but asks itself in place of the network, so
// that a token that was revoked is refused from the next call on.
import {
  createAccessTokenVerifier,
  createApiKeyVerifier,
  createAuthenticator,
  type ApiKeyVerifier,
  type Authenticator,
  type Principal,
  type RevocationCheck,
  type SigningKeySource,
  type TokenBindingOptions,
} from '@deputy/auth'
import { accept, refuse, type Clock } from '@deputy/auth/protocol'
import { AUTH_SERVER_ID } from './admin/admin-scopes.ts'
import { findStanding } from './revocation/standing.ts'
import type { Storage } from './storage/open-storage.ts'
import type { IntrospectFor } from './tokens/introspection.ts'
import { isUnavailable } from './unavailable.ts'

export type OwnAuthenticatorOptions = {
  readonly issuer: string
  readonly keys: SigningKeySource
  readonly storage: Pick<Storage, 'clients' | 'revocations' | 'revocationSignal'>
  readonly introspect: IntrospectFor
  readonly dpop: TokenBindingOptions
  readonly clock: Clock
}

/** Creates the authenticator of the admin API. */
export function createOwnAuthenticator(options: OwnAuthenticatorOptions): Authenticator {
  const { clock, dpop, introspect, issuer, keys, storage } = options
  const accessTokens = createAccessTokenVerifier({
    issuer,
    audience: AUTH_SERVER_ID,
    keys,
    clock,
    // The clock that signed the token is this one.
    clockToleranceSeconds: 0,
  })
  const verifyKey = createApiKeyVerifier({
    audience: AUTH_SERVER_ID,
    introspect: async (key) => {
      const self = await storage.clients.find(AUTH_SERVER_ID)
      return accept(self === undefined ? { active: false } : await introspect(self, key))
    },
  })
  const apiKeys: ApiKeyVerifier = {
    ...verifyKey,
    // Told of what is revoked and of what has changed alike.
    watch: (_principal, onChange) => storage.revocationSignal.onRevoked(() => void onChange()),
  }
  const isDenied = async (principal: Principal): Promise<boolean> =>
    (await storage.revocations.findDenial(findStanding(principal))) !== undefined
  const revocations: RevocationCheck = {
    async check(principal) {
      try {
        return (await isDenied(principal)) ? refuse({ reason: 'token_revoked' }) : accept(principal)
      } catch (error) {
        if (!(error instanceof Error && isUnavailable(error))) throw error
        return refuse({ reason: 'verifier_unavailable', detail: error.message })
      }
    },
    watch(principal, onDenied) {
      const stop = storage.revocationSignal.onRevoked(() => void look())
      async function look(): Promise<void> {
        // Where the store cannot be read now, the next call is refused.
        if (!(await isDenied(principal).catch(() => false))) return
        stop()
        onDenied()
      }
      return stop
    },
  }
  return createAuthenticator({ accessTokens, apiKeys, dpop, revocations, clock })
}
