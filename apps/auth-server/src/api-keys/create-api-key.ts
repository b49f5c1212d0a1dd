import { createAgentSecret, type EpochSeconds } from '@deputy/auth/protocol'
import { randomUUID } from 'node:crypto'
import { hashSecret } from '../secret-hash.ts'
import type { ApiKeyRecord } from './api-key-store.ts'

/** A new API key: the record to keep, and the key to show once. */
export type NewApiKey = { readonly record: ApiKeyRecord; readonly apiKey: string }

export type NewApiKeyOptions = {
  readonly agentId: string
  readonly label: string
  readonly scopes: readonly string[]
  readonly rateLimitTier: string | undefined
  readonly now: EpochSeconds
  readonly expiresAt: EpochSeconds | undefined
}

/** Makes an API key for an agent. Nothing is stored yet. */
export function createApiKey(options: NewApiKeyOptions): NewApiKey {
  const { agentId, expiresAt, label, now, rateLimitTier, scopes } = options
  const apiKey = createAgentSecret('apiKey')
  const record = {
    id: randomUUID(),
    agentId,
    label,
    scopes,
    rateLimitTier,
    keyHash: hashSecret(apiKey),
    createdAt: now,
    expiresAt,
    deactivatedAt: undefined,
    lastUsedAt: undefined,
    supersededBy: undefined,
  }
  return { record, apiKey }
}
