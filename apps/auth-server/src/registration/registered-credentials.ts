// The credentials that a client has by its registration: the keys and the secret that its metadata speaks of.
//
// > Valid values of client metadata fields in this request MUST replace, not augment, the values previously
// > associated with this client. (RFC 7592 §2.2)
import type { EpochSeconds } from '@deputy/auth/protocol'
import { isDeepStrictEqual } from 'node:util'
import type { Agent } from '../agents/agent.ts'
import type { ClientKeyRecord } from '../clients/client-key-store.ts'
import { createClientKey } from '../clients/create-client-key.ts'
import { createClientSecret } from '../clients/create-client-secret.ts'
import { isLive } from '../credentials/credential.ts'
import { OAuthError } from '../oauth-error.ts'
import { denyCredential } from '../revocation/deny.ts'
import type { Stores } from '../storage/stores.ts'
import type { ClientMetadata } from './client-metadata.ts'

type CredentialStores = Pick<
  Stores,
  'approvals' | 'clientKeys' | 'clientSecrets' | 'grants' | 'revocations'
>

/** Tells them from what an operator made for the same agent. */
const LABEL = 'registration'

export type CredentialChange = {
  readonly agent: Agent
  /** `undefined` for a client that registers. */
  readonly before: ClientMetadata | undefined
  readonly after: ClientMetadata
  readonly now: EpochSeconds
}

/**
 * Brings the credentials to what the metadata says: keys that it does not have any more are ended with all that was
 * obtained with them, and so is the secret of a client that goes over to keys. Answers the secret, where one was made.
 * Attack prevented: whoever stole a key goes on with it after its client has replaced it.
 */
export async function replaceCredentials(
  stores: CredentialStores,
  change: CredentialChange,
): Promise<string | undefined> {
  await replaceKeys(stores, change)
  return replaceSecret(stores, change)
}

async function replaceKeys(
  stores: CredentialStores,
  { after, agent, before, now }: CredentialChange,
): Promise<void> {
  if (isDeepStrictEqual(before?.jwks, after.jwks)) return
  const own = await stores.clientKeys.listByAgent(agent.id, agent.ownerId)
  const live = own.filter((key) => isLive(key, now))
  const next = requireKeys(after, agent, now)
  for (const key of live) {
    // One that stays goes on with all that was obtained with it, so that the next one is laid beside it without a gap.
    if (isAmong(next, key)) continue
    await stores.clientKeys.deactivate({ id: key.id, within: agent.ownerId }, now)
    await denyCredential(stores, key.id, now)
  }
  // Attack prevented: a stolen key that an operator ended, brought back by a client that knows nothing of it.
  const known = [...live, ...(before === undefined ? [] : requireKeys(before, agent, now))]
  for (const key of next) if (!isAmong(known, key)) await stores.clientKeys.insert(key)
}

function requireKeys({ jwks }: ClientMetadata, { id: agentId }: Agent, now: EpochSeconds) {
  return (jwks?.keys ?? []).map((jwk) => {
    const key = createClientKey({ agentId, label: LABEL, jwk, now })
    if (key.ok) return key.value
    const message = 'jwks: each must be a public key that can verify signatures'
    throw new OAuthError({ code: 'invalid_client_metadata', message })
  })
}

function isAmong(keys: readonly ClientKeyRecord[], { publicJwk }: ClientKeyRecord): boolean {
  return keys.some((key) => isDeepStrictEqual(key.publicJwk, publicJwk))
}

async function replaceSecret(
  stores: CredentialStores,
  { after, agent, now }: CredentialChange,
): Promise<string | undefined> {
  const all = await stores.clientSecrets.listByAgent(agent.id, agent.ownerId)
  const live = all.filter((secret) => secret.label === LABEL && isLive(secret, now))
  if (after.token_endpoint_auth_method !== 'private_key_jwt') {
    if (live.length > 0) return undefined
    const { record, secret } = createClientSecret({ agentId: agent.id, label: LABEL, now })
    await stores.clientSecrets.insert(record)
    return secret
  }
  for (const { id } of live) {
    await stores.clientSecrets.deactivate({ id, within: agent.ownerId }, now)
    await denyCredential(stores, id, now)
  }
  return undefined
}
