// Agents as rows: lists and records are JSON text.
import type { Selectable } from 'kysely'
import * as z from 'zod'
import { DelegationPolicy, type Agent, type AgentChanges, type Client } from '../agents/agent.ts'
import type { AgentTable } from './tables.ts'

const NO_DELEGATION = DelegationPolicy.parse({})
const NO_DELEGATION_TEXT = JSON.stringify(NO_DELEGATION)

const StringList = z.array(z.string())
const StringRecord = z.record(z.string(), z.string())

/** Writes the columns of the settings that are given; those of the others are `undefined`. */
export function toAgentColumns(settings: AgentChanges) {
  const { dpopBoundAccessTokens: bound } = settings
  return {
    name: settings.name,
    description: settings.description,
    scope_policy: settings.scopePolicy,
    access_token_ttl_seconds: settings.accessTokenTtlSeconds,
    rate_limit_tier: settings.rateLimitTier,
    url: settings.url,
    jwks_uri: settings.jwksUri,
    dpop_bound_access_tokens: bound === undefined ? undefined : toBit(bound),
    scopes: toJson(settings.scopes),
    audiences: toJson(settings.audiences),
    scopes_supported: toJson(settings.scopesSupported),
    shared_scopes: toJson(settings.sharedScopes),
    approval_scopes: toJson(settings.approvalScopes),
    authorization_details_types: toJson(settings.authorizationDetailsTypes),
    delegation: toJson(settings.delegation),
    metadata: toJson(settings.metadata),
  }
}

/** Writes a whole row. */
export function toAgentRow(agent: Agent): AgentTable {
  return {
    id: agent.id,
    owner_id: agent.ownerId,
    name: agent.name,
    description: agent.description,
    state: agent.state,
    scopes: JSON.stringify(agent.scopes),
    audiences: JSON.stringify(agent.audiences),
    scopes_supported: JSON.stringify(agent.scopesSupported),
    shared_scopes: JSON.stringify(agent.sharedScopes),
    approval_scopes: JSON.stringify(agent.approvalScopes),
    url: agent.url ?? null,
    authorization_details_types: JSON.stringify(agent.authorizationDetailsTypes),
    scope_policy: agent.scopePolicy,
    access_token_ttl_seconds: agent.accessTokenTtlSeconds,
    dpop_bound_access_tokens: toBit(agent.dpopBoundAccessTokens),
    jwks_uri: agent.jwksUri ?? null,
    rate_limit_tier: agent.rateLimitTier,
    delegation: JSON.stringify(agent.delegation),
    metadata: JSON.stringify(agent.metadata),
    created_at: agent.createdAt,
    deactivated_at: agent.deactivatedAt ?? null,
  }
}

/** Reads a row. */
export function toAgent(row: Selectable<AgentTable>): Agent {
  return {
    ...toClient(row),
    name: row.name,
    description: row.description,
    metadata: row.metadata === '{}' ? {} : StringRecord.parse(JSON.parse(row.metadata)),
    createdAt: row.created_at,
    deactivatedAt: row.deactivated_at ?? undefined,
  }
}

/** The columns of a `Client`. */
export const CLIENT_COLUMNS = [
  'agent.id',
  'agent.owner_id',
  'agent.state',
  'agent.scopes',
  'agent.audiences',
  'agent.scopes_supported',
  'agent.shared_scopes',
  'agent.approval_scopes',
  'agent.url',
  'agent.authorization_details_types',
  'agent.scope_policy',
  'agent.access_token_ttl_seconds',
  'agent.dpop_bound_access_tokens',
  'agent.jwks_uri',
  'agent.rate_limit_tier',
  'agent.delegation',
] as const

export type ClientRow = Omit<
  Selectable<AgentTable>,
  'name' | 'description' | 'metadata' | 'created_at' | 'deactivated_at'
>

/** Reads those columns. */
export function toClient(row: ClientRow): Client {
  return {
    id: row.id,
    ownerId: row.owner_id,
    state: row.state,
    scopes: readList(row.scopes),
    audiences: readList(row.audiences),
    scopesSupported: readList(row.scopes_supported),
    sharedScopes: readList(row.shared_scopes),
    approvalScopes: readList(row.approval_scopes),
    url: row.url ?? undefined,
    authorizationDetailsTypes: readList(row.authorization_details_types),
    scopePolicy: row.scope_policy,
    accessTokenTtlSeconds: row.access_token_ttl_seconds,
    dpopBoundAccessTokens: row.dpop_bound_access_tokens === 1,
    jwksUri: row.jwks_uri ?? undefined,
    rateLimitTier: row.rate_limit_tier,
    delegation: readDelegation(row.delegation),
  }
}

/** Most agents have the default, which need not be read anew for each token. */
function readDelegation(text: string): DelegationPolicy {
  return text === NO_DELEGATION_TEXT ? NO_DELEGATION : DelegationPolicy.parse(JSON.parse(text))
}

function readList(text: string): string[] {
  return text === '[]' ? [] : StringList.parse(JSON.parse(text))
}

function toJson(value: object | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value)
}

function toBit(value: boolean): 0 | 1 {
  return value ? 1 : 0
}
