import { AgentId, isScopeToken } from '@deputy/auth/protocol'
import * as z from 'zod'
import { OwnerId } from '../owners/owner.ts'
import { ResourceUrl } from './resource-url.ts'

/** A scope-token (RFC 6749 §3.3). */
export const ScopeToken = z
  .string()
  .max(256)
  .refine(isScopeToken, 'has a character that RFC 6749 §3.3 does not allow')

/** Each once: a doubled audience would make the choice of a target look ambiguous. */
function toUnique(list: readonly string[]): string[] {
  return [...new Set(list)]
}

const ScopeList = z.array(ScopeToken).max(100).transform(toUnique)
const AgentIdList = z.array(AgentId).max(100).transform(toUnique)

/** Longest life of an access token, in seconds. */
export const MAX_ACCESS_TOKEN_TTL_SECONDS = 1800

/** Longest chain of delegation (`act` and what is nested in it). */
export const MAX_DELEGATION_DEPTH = 5

/** To whom an agent may hand its work on, and how far. Nobody by default. */
export const DelegationPolicy = z.object({
  to: AgentIdList.default([]),
  /** What it may hand on, of what it has; left out, all of it. */
  scopes: ScopeList.optional(),
  /** Hand-overs below it, at most. */
  maxDepth: z.int().min(0).max(MAX_DELEGATION_DEPTH).default(0),
})
export type DelegationPolicy = z.infer<typeof DelegationPolicy>

const Metadata = z
  .record(z.string().min(1).max(64), z.string().max(512))
  .refine((record) => Object.keys(record).length <= 32, 'has more than 32 entries')

/** What an operator decides about an agent. */
export const AgentSettings = z.object({
  name: z.string().trim().min(1).max(200),
  description: z.string().max(2000).default(''),
  /** Everything that tokens and keys of this agent may ever carry. */
  scopes: ScopeList.default([]),
  /** The agents that it may call. */
  audiences: AgentIdList.default([]),
  /** The scopes that its own procedures need: a token for it carries no others (RFC 9728 §2). */
  scopesSupported: ScopeList.default([]),
  /** Those of them that agents of other owners may have. None by default: it is invisible to them. */
  sharedScopes: ScopeList.default([]),
  /**
   * Those of them that a token has for one approved call only, of which `authorization_details` (type
   * `approved_call`) say what it is. An API key never has them.
   */
  approvalScopes: ScopeList.default([]),
  /** Where it is served: what `resource` of a token request names (RFC 8707 §2). */
  url: ResourceUrl.optional(),
  /** Types of `authorization_details` that its procedures understand (RFC 9396 §10). */
  authorizationDetailsTypes: z
    .array(z.string().min(1).max(100))
    .max(20)
    .transform(toUnique)
    .default([]),
  /** What becomes of a request for more than it may have: refused, or granted as far as it may. */
  scopePolicy: z.enum(['exact', 'partial']).default('exact'),
  /** Life of its access tokens, in seconds. */
  accessTokenTtlSeconds: z.int().min(1).max(MAX_ACCESS_TOKEN_TTL_SECONDS).default(900),
  /** Refuses requests for tokens without a DPoP proof (RFC 9449 §5.2). */
  dpopBoundAccessTokens: z.boolean().default(false),
  /** Where its public keys are, for `private_key_jwt` (RFC 7591 §2). */
  jwksUri: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .optional(),
  rateLimitTier: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,31}$/, 'must be a short lower-case word')
    .default('standard'),
  delegation: DelegationPolicy.prefault({}),
  /** The operator's own notes. Never in a token. */
  metadata: Metadata.default({}),
})
export type AgentSettings = z.infer<typeof AgentSettings>

/** An agent as the authorization server knows it. Its id is also its OAuth client id. */
export const Agent = AgentSettings.extend({
  id: AgentId,
  ownerId: OwnerId,
  state: z.enum(['active', 'inactive']),
  createdAt: z.int(),
  deactivatedAt: z.int().optional(),
})
export type Agent = z.infer<typeof Agent>

/** An agent as its tokens depend on it: what is left out is for people. */
export type Client = Omit<
  Agent,
  'name' | 'description' | 'metadata' | 'createdAt' | 'deactivatedAt'
>

/** Some of the settings: what is `undefined` stays as it is, `null` takes an optional one away. */
export type AgentChanges = {
  readonly [Name in keyof AgentSettings]?:
    | AgentSettings[Name]
    | (undefined extends AgentSettings[Name] ? null : never)
    | undefined
}

/**
 * What the client may ever do at the target: what it may hold, of what the target knows, and across
 * owners of what the target shares. The one rule for tokens and for API keys.
 */
export function findAllowedScopes(client: Client, target: Client): readonly string[] {
  const open = client.ownerId === target.ownerId ? target.scopesSupported : target.sharedScopes
  return open.filter(
    (scope) => client.scopes.includes(scope) && target.scopesSupported.includes(scope),
  )
}

/**
 * What a token for the target may carry beyond the target's own scopes, when it is asked for by name:
 * what the client may hand on to it, and it may hold and hand on in turn. The client has to have named
 * the target in its policy; an agent of another owner has to have named the scopes in its own.
 */
export function findHandedOnScopes(client: Client, target: Client): readonly string[] {
  // A token for itself, to begin a chain with, is handed to nobody.
  const mayHand = client.id === target.id || client.delegation.to.includes(target.id)
  if (!mayHand || target.delegation.to.length === 0) return []
  const isForeign = client.ownerId !== target.ownerId
  const taken = target.delegation.scopes ?? (isForeign ? [] : target.scopes)
  return (client.delegation.scopes ?? client.scopes).filter(
    (scope) =>
      client.scopes.includes(scope) && taken.includes(scope) && target.scopes.includes(scope),
  )
}

/** Whether the client can see the target at all: it is its owner's, or shared with others. */
export function isVisible(client: Client, target: Client): boolean {
  return client.ownerId === target.ownerId || target.sharedScopes.length > 0
}
