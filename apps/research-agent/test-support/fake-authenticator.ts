// Callers by the text of their token, so that a test of procedures needs no issuer and no keys.
import type { Authenticator } from '@deputy/auth'
import { accept, refuse } from '@deputy/auth/protocol'
import { callBy } from './research-world.ts'

type Caller = { readonly agentId: string; readonly scopes: readonly string[] }

/** Knows these callers by their bearer tokens, and nobody else. */
export function createFakeAuthenticator(callers: Readonly<Record<string, Caller>>): Authenticator {
  return {
    authenticate: async (header) => {
      const caller = callers[header('authorization')?.replace('Bearer ', '') ?? '']
      if (caller === undefined) {
        return refuse({ reason: 'token_signature_invalid', detail: 'unknown to the test' })
      }
      const principal = { ...callBy(caller.agentId).principal, scopes: caller.scopes }
      return accept({
        principal,
        recheck: async () => accept(principal),
        watch: () => () => undefined,
      })
    },
  }
}
