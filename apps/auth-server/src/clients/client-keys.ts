// Finds the keys that an assertion of a client may be signed with: those that are kept here, or else
// those that the client publishes.
import { isKeyFor, type Clock, type ProofAlgorithm, type PublicJwk } from '@deputy/auth/protocol'
import type { ClientKeyStore } from './client-key-store.ts'
import type { RemoteClientKeys } from './client-keys-remote.ts'

/** A key to try. */
export type ClientKey = {
  readonly publicJwk: PublicJwk
  /** Names the key in the audit trail: the record's id, or `jwks_uri#` and the key's own name. */
  readonly credentialId: string
  /** Of the record that notes the key's use, when it is kept here. */
  readonly recordId: string | undefined
}

export type ClientKeysRequest = {
  readonly clientId: string
  readonly jwksUri: string | undefined
  readonly algorithm: ProofAlgorithm
  /** Left out, every key for the algorithm fits. */
  readonly kid: string | undefined
}

export type FoundClientKeys = {
  /** Newest first where they are kept here. */
  readonly keys: readonly ClientKey[]
  /** Why published keys could not be had; for the operator. */
  readonly fault: string | undefined
}

export type ClientKeysOptions = {
  readonly store: Pick<ClientKeyStore, 'listLive'>
  readonly remote: RemoteClientKeys
  readonly clock: Clock
}

/** Attack prevented: assertions in the name of a client with very many keys, each of which reads all of them. */
const MAX_KEYS = 100

/** Finds keys. Asks the store for a client that is not there too, so that the work is the same. */
export type FindClientKeys = (request: ClientKeysRequest) => Promise<FoundClientKeys>

/** Creates the finding. */
export function createClientKeys(options: ClientKeysOptions): FindClientKeys {
  const { clock, remote, store } = options

  return async ({ algorithm, clientId, jwksUri, kid }) => {
    const now = clock.now()
    const records = await store.listLive({ agentId: clientId, kid, now, limit: MAX_KEYS })
    const kept = records.filter(({ publicJwk }) => isKeyFor(publicJwk, algorithm))
    const keys = kept.map(({ id, publicJwk }) => ({ publicJwk, credentialId: id, recordId: id }))
    if (keys.length > 0 || jwksUri === undefined) return { keys, fault: undefined }
    const published = await remote.find(
      jwksUri,
      (key) => (kid === undefined || key.kid === kid) && isKeyFor(key, algorithm),
    )
    return {
      keys: published.keys.map((publicJwk) => ({
        publicJwk,
        credentialId: `jwks_uri#${publicJwk.kid ?? ''}`,
        recordId: undefined,
      })),
      fault: published.fault,
    }
  }
}
