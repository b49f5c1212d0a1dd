import type { Principal } from './principal.ts'
import { findMissingScopes, type AuthorizationDetailsClaim, type Clock } from './protocol/index.ts'

/** What an authority amounts to: safe to log, and to show to whoever holds it. */
export type AuthorityExplanation = {
  /** Whose authority it is. */
  readonly subject: string
  /** Everybody who acts or acted for the subject, the present one first; empty where nobody else does. */
  readonly actors: readonly string[]
  /** What it stands on, the root first: whoever ends one of these ends it. */
  readonly grantPath: readonly string[]
  readonly scopes: readonly string[]
  readonly limits: AuthorizationDetailsClaim
  /** Of those that were asked about; each can be had only from the subject or the authorization server. */
  readonly missingScopes: readonly string[]
  /** Whether its time is not over. Whether it was revoked is for `Authenticated.recheck` to say. */
  readonly isInTime: boolean
  /** `undefined` for an API key without expiry. */
  readonly expiresInSeconds: number | undefined
}

export type ExplainAuthorityOptions = {
  readonly clock: Clock
  /** What somebody wants to do with it. */
  readonly requiredScopes?: readonly string[] | undefined
}

/**
 * Explains an authority to its own holder, from nothing but what was verified of it. What each hop
 * left behind only the authorization server knows: ask its admin API (`explain`).
 */
export function explainAuthority(
  principal: Principal,
  { clock, requiredScopes = [] }: ExplainAuthorityOptions,
): AuthorityExplanation {
  const { agentId, expiresAt, grantPath, limits, priorActors, scopes, subject } = principal
  const left = expiresAt === undefined ? undefined : expiresAt - clock.now()
  return {
    subject,
    actors: agentId === subject ? [] : [agentId, ...priorActors],
    grantPath,
    scopes,
    limits,
    missingScopes: findMissingScopes(requiredScopes, scopes),
    isInTime: left === undefined || left > 0,
    expiresInSeconds: left === undefined ? undefined : Math.max(0, left),
  }
}
