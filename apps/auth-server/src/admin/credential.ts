// Credentials as the admin API shows them: never a secret, except once, when it is made.
import { AgentId } from '@deputy/auth/protocol'
import * as z from 'zod'
import { ScopeToken } from '../agents/agent.ts'
import type { ApiKeyRecord } from '../api-keys/api-key-store.ts'
import type { ClientSecretRecord } from '../clients/client-secret-store.ts'

const Times = z.object({
  createdAt: z.int(),
  expiresAt: z.int().optional(),
  deactivatedAt: z.int().optional(),
  lastUsedAt: z.int().optional(),
})

/** A client secret of an agent. */
export const ClientSecretSummary = Times.extend({
  clientSecretId: z.string(),
  agentId: AgentId,
  active: z.boolean(),
})
export type ClientSecretSummary = z.infer<typeof ClientSecretSummary>

/** An API key of an agent. */
export const ApiKeySummary = Times.extend({
  apiKeyId: z.string(),
  agentId: AgentId,
  label: z.string(),
  scopes: z.array(ScopeToken),
  active: z.boolean(),
})
export type ApiKeySummary = z.infer<typeof ApiKeySummary>

/** Shows a client secret as it is at this time. */
export function toClientSecretSummary(
  record: ClientSecretRecord,
  now: number,
): ClientSecretSummary {
  return { clientSecretId: record.id, agentId: record.agentId, ...toTimes(record, now) }
}

/** Shows an API key as it is at this time. */
export function toApiKeySummary(record: ApiKeyRecord, now: number): ApiKeySummary {
  const { agentId, id, label, scopes } = record
  return { apiKeyId: id, agentId, label, scopes: [...scopes], ...toTimes(record, now) }
}

function toTimes(record: ClientSecretRecord | ApiKeyRecord, now: number) {
  const { createdAt, deactivatedAt, expiresAt, lastUsedAt } = record
  const active = deactivatedAt === undefined && (expiresAt === undefined || expiresAt > now)
  return {
    active,
    createdAt,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(deactivatedAt === undefined ? {} : { deactivatedAt }),
    ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
  }
}
