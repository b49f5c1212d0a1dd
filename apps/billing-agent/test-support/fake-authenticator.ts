// Callers by the text of their token, so that a test of procedures needs no issuer and no keys.
import type { Authenticator, Principal } from '@deputy/auth'
import { accept, refuse } from '@deputy/auth/protocol'

export type Caller = Pick<Principal, 'agentId' | 'scopes'> & {
  readonly subject?: string
  /** Default: `system`. */
  readonly ownerId?: string
  /** Default: the token alone. */
  readonly grantPath?: readonly string[]
  /** Default: none. */
  readonly limits?: Principal['limits']
}

/** Knows these callers by their bearer tokens, and nobody else. */
export function createFakeAuthenticator(callers: Readonly<Record<string, Caller>>): Authenticator {
  return {
    authenticate: async (header) => {
      const token = header('authorization')?.replace('Bearer ', '') ?? ''
      const caller = callers[token]
      if (caller === undefined) {
        return refuse({ reason: 'token_signature_invalid', detail: 'unknown to the test' })
      }
      const principal: Principal = {
        agentId: caller.agentId,
        subject: caller.subject ?? caller.agentId,
        ownerId: caller.ownerId ?? 'system',
        audience: 'agent-billing-v2',
        scopes: caller.scopes,
        priorActors: [],
        expiresAt: undefined,
        grantPath: caller.grantPath ?? [`jti-of-${caller.agentId}`],
        limits: caller.limits ?? [],
        credential: { kind: 'access_token', id: `jti-of-${caller.agentId}` },
      }
      return accept({
        principal,
        recheck: async () => accept(principal),
        watch: () => () => undefined,
      })
    },
  }
}
