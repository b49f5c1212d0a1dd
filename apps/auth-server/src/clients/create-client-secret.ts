import { createAgentSecret, type EpochSeconds } from '@deputy/auth/protocol'
import { randomUUID } from 'node:crypto'
import { hashSecret } from '../secret-hash.ts'
import type { ClientSecretRecord } from './client-secret-store.ts'

/** A new client secret: the record to keep, and the secret to show once. */
export type NewClientSecret = { readonly record: ClientSecretRecord; readonly secret: string }

/** Makes a client secret for an agent. Nothing is stored yet. */
export function createClientSecret(
  agentId: string,
  now: EpochSeconds,
  expiresAt?: EpochSeconds,
): NewClientSecret {
  const secret = createAgentSecret('clientSecret')
  const record = {
    id: randomUUID(),
    agentId,
    secretHash: hashSecret(secret),
    createdAt: now,
    expiresAt,
    deactivatedAt: undefined,
    lastUsedAt: undefined,
  }
  return { record, secret }
}
