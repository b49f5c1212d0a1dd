// Wires the ways in which clients authenticate, with what each of them needs.
import type { ReplayMemory } from '@deputy/auth'
import type { Clock } from '@deputy/auth/protocol'
import type { UseLog } from '../credentials/use-log.ts'
import type { Storage } from '../storage/open-storage.ts'
import { createClientAssertionVerifier } from './client-assertion.ts'
import { createClientAuthentication, type AuthenticateClient } from './client-authentication.ts'
import { createJwksFetch } from './client-keys-fetch.ts'
import { createRemoteClientKeys } from './client-keys-remote.ts'
import { createClientKeys } from './client-keys.ts'
import { createFailurePace } from './failure-pace.ts'
import type { ClientLimits } from './client-limits.ts'
import { createLimitedAuthentication } from './limited-authentication.ts'

export type OpenClientAuthenticationOptions = {
  readonly issuer: string
  readonly storage: Storage
  readonly replayMemory: ReplayMemory
  readonly credentialUses: Pick<UseLog, 'note'>
  /** Whether `jwks_uri` may lead into a private network. Default: no. */
  readonly allowPrivateJwksAddresses?: boolean | undefined
  readonly limits: ClientLimits
  readonly clock: Clock
}

/** Creates the authentication of clients, by secrets and by assertions, under the limits. */
export function openClientAuthentication(
  options: OpenClientAuthenticationOptions,
): AuthenticateClient {
  const { clock, credentialUses: uses, issuer, limits, replayMemory, storage } = options
  const pace = createFailurePace()
  const fetchJwks = createJwksFetch({
    issuer,
    allowPrivateAddresses: options.allowPrivateJwksAddresses,
  })
  const assertions = createClientAssertionVerifier({
    issuer,
    clients: storage.clients,
    findKeys: createClientKeys({
      store: storage.clientKeys,
      remote: createRemoteClientKeys({
        fetchJwks: async (uri) => pace.measure(async () => fetchJwks(uri)),
        clock,
      }),
      clock,
    }),
    uses,
    replayMemory,
    pace,
    clock,
  })
  const { clients } = storage
  return createLimitedAuthentication({
    authenticateClient: createClientAuthentication({
      clients,
      uses,
      assertions,
      clock,
    }),
    limits,
  })
}
