// Credentials as the admin API shows them: never a secret, except once, when it is made.
import { AgentId } from '@deputy/auth/protocol'
import * as z from 'zod'
import { ScopeToken } from '../agents/agent.ts'
import type { ApiKeyRecord } from '../api-keys/api-key-store.ts'
import type { ClientSecretRecord } from '../clients/client-secret-store.ts'
import { isLive, type CredentialRecord } from '../credentials/credential.ts'

/** What is shown of every credential. Times are epoch seconds. */
export const CredentialSummary = z.object({
  agentId: AgentId,
  label: z.string(),
  /** Whether it counts now. */
  active: z.boolean(),
  createdAt: z.int(),
  expiresAt: z.int().optional(),
  deactivatedAt: z.int().optional(),
  /** Written at most once a minute. */
  lastUsedAt: z.int().optional(),
  /** Id of the credential that took its place in a rotation. */
  supersededBy: z.string().optional(),
  /** Whether it was still used after that: its holder has not changed over yet. */
  usedSinceSuperseded: z.boolean().optional(),
})

/** A client secret of an agent. */
export const ClientSecretSummary = CredentialSummary.extend({ clientSecretId: z.string() })
export type ClientSecretSummary = z.infer<typeof ClientSecretSummary>

/** An API key of an agent. */
export const ApiKeySummary = CredentialSummary.extend({
  apiKeyId: z.string(),
  scopes: z.array(ScopeToken),
  rateLimitTier: z.string().optional(),
})
export type ApiKeySummary = z.infer<typeof ApiKeySummary>

/** What a new credential may be given. */
export const NewCredential = z.object({
  agentId: AgentId,
  label: z.string().trim().max(200).default(''),
  expiresAt: z.int().optional(),
})

/** Longest overlap of a rotation, in seconds: 90 days. */
const MAX_OVERLAP_SECONDS = 90 * 24 * 60 * 60

/** How long the old credential goes on beside its successor. Default: a day; 0 ends it at once. */
export const OverlapSeconds = z
  .int()
  .min(0)
  .max(MAX_OVERLAP_SECONDS)
  .default(24 * 60 * 60)

/** Shows a client secret as it is at this time, among the others of its agent. */
export function toClientSecretSummary(
  record: ClientSecretRecord,
  now: number,
  others: readonly CredentialRecord[] = [],
): ClientSecretSummary {
  return { clientSecretId: record.id, ...toSummary(record, now, others) }
}

/** Shows an API key as it is at this time, among the others of its agent. */
export function toApiKeySummary(
  record: ApiKeyRecord,
  now: number,
  others: readonly CredentialRecord[] = [],
): ApiKeySummary {
  const { id, rateLimitTier, scopes } = record
  return {
    apiKeyId: id,
    scopes: [...scopes],
    ...(rateLimitTier === undefined ? {} : { rateLimitTier }),
    ...toSummary(record, now, others),
  }
}

/** Shows what every credential has. */
export function toSummary(
  record: CredentialRecord,
  now: number,
  others: readonly CredentialRecord[],
): z.infer<typeof CredentialSummary> {
  const { agentId, createdAt, deactivatedAt, expiresAt, label, lastUsedAt, supersededBy } = record
  const successor = others.find(({ id }) => id === supersededBy)
  return {
    agentId,
    label,
    active: isLive(record, now),
    createdAt,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(deactivatedAt === undefined ? {} : { deactivatedAt }),
    ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
    ...(supersededBy === undefined ? {} : { supersededBy }),
    ...(successor === undefined
      ? {}
      : { usedSinceSuperseded: (lastUsedAt ?? 0) > successor.createdAt }),
  }
}
