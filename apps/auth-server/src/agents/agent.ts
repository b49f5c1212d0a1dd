import { AgentId, isScopeToken } from '@deputy/auth/protocol'
import * as z from 'zod'

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

/** Longest life of an access token, in seconds. */
export const MAX_ACCESS_TOKEN_TTL_SECONDS = 1800

/** What an operator decides about an agent. */
export const AgentSettings = z.object({
  name: z.string().trim().min(1).max(200),
  description: z.string().max(2000).default(''),
  /** Everything that tokens and keys of this agent may ever carry. */
  scopes: ScopeList.default([]),
  /** The agents that it may call. */
  audiences: z.array(AgentId).max(100).transform(toUnique).default([]),
  /** The scopes that its own procedures need: a token for it carries no others (RFC 9728 §2). */
  scopesSupported: ScopeList.default([]),
  /** Life of its access tokens, in seconds. */
  accessTokenTtlSeconds: z.int().min(1).max(MAX_ACCESS_TOKEN_TTL_SECONDS).default(900),
})
export type AgentSettings = z.infer<typeof AgentSettings>

/** An agent as the authorization server knows it. Its id is also its OAuth client id. */
export const Agent = AgentSettings.extend({
  id: AgentId,
  state: z.enum(['active', 'inactive']),
  createdAt: z.int(),
  deactivatedAt: z.int().optional(),
})
export type Agent = z.infer<typeof Agent>

/** Some of the settings: what is `undefined` stays as it is. */
export type AgentChanges = {
  readonly [Name in keyof AgentSettings]?: AgentSettings[Name] | undefined
}

/** The agent with the changes made. */
export function applyChanges(agent: Agent, changes: AgentChanges): Agent {
  return {
    ...agent,
    name: changes.name ?? agent.name,
    description: changes.description ?? agent.description,
    scopes: changes.scopes ?? agent.scopes,
    audiences: changes.audiences ?? agent.audiences,
    scopesSupported: changes.scopesSupported ?? agent.scopesSupported,
    accessTokenTtlSeconds: changes.accessTokenTtlSeconds ?? agent.accessTokenTtlSeconds,
  }
}
