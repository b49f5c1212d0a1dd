import { createAgentSecret, type EpochSeconds } from '@deputy/auth/protocol'
import { randomUUID } from 'node:crypto'
import { hashSecret } from '../secret-hash.ts'
import type { ClientSecretRecord } from './client-secret-store.ts'

/** A new client secret: the record to keep, and the secret to show once. */
export type NewClientSecret = { readonly record: ClientSecretRecord; readonly secret: string }

export type NewClientSecretOptions = {
  readonly agentId: string
  readonly now: EpochSeconds
  readonly label?: string | undefined
  readonly expiresAt?: EpochSeconds | undefined
}

/** Makes a client secret for an agent. Nothing is stored yet. */
export function createClientSecret(options: NewClientSecretOptions): NewClientSecret {
  const secret = createAgentSecret('clientSecret')
  const record = {
    id: randomUUID(),
    agentId: options.agentId,
    label: options.label ?? '',
    secretHash: hashSecret(secret),
    createdAt: options.now,
    expiresAt: options.expiresAt,
    deactivatedAt: undefined,
    lastUsedAt: undefined,
    supersededBy: undefined,
  }
  return { record, secret }
}
