import { AgentId, AuthorizationDetailsClaim } from '@deputy/auth/protocol'
import * as z from 'zod'
import { OwnerId } from '../owners/owner.ts'
import type { Standing } from '../revocation/revocation-store.ts'

/** Why a scope of the token above is not in the one below. */
export const DROP_RULES = [
  /** The request did not ask for it. */
  'not_requested',
  /** The policy of the agent that handed the work on does not let it travel. */
  'not_handed_on',
  /** The agent that acts may never hold it. */
  'actor_may_not',
  /** The agent whose authority it is may not hold it any more. */
  'subject_may_not',
  /** The target's procedures do not know it, and the target does not hand it on. */
  'not_known_to_target',
  /** The target gives it for approved calls only, and the request named none. */
  'needs_approval',
] as const
export type DropRule = (typeof DROP_RULES)[number]

/** A scope that was left behind on a hop. */
export const DroppedScope = z.object({ scope: z.string(), rule: z.enum(DROP_RULES) })
export type DroppedScope = Readonly<z.infer<typeof DroppedScope>>

/**
 * One node of the tree of grants. A task grant is a root; every token below one, and every token that
 * came from an exchange, is a node whose id is its `jti`.
 */
export const GrantNode = z.object({
  id: z.string(),
  kind: z.enum(['task', 'token']),
  /** The token or the task grant that it came from. */
  parentId: z.string().optional(),
  /** From the root to this one: what the token's `grant_path` says. */
  grantPath: z.array(z.string()),
  /** The tenant of the subject. */
  ownerId: OwnerId,
  /** Whose authority it is. */
  subjectId: AgentId,
  /** Who holds it. */
  agentId: AgentId,
  /** Everybody who acts or acted for the subject, the present one first. */
  actors: z.array(AgentId),
  audiences: z.array(AgentId),
  scopes: z.array(z.string()),
  dropped: z.array(DroppedScope),
  limits: AuthorizationDetailsClaim,
  /** Hand-overs that are allowed below it. */
  maxDepth: z.int(),
  /** The secret or key that it was obtained with. */
  credentialId: z.string().optional(),
  /** Who asked for it; of a task grant, who opened it. */
  openedBy: AgentId,
  /** What a task grant is for, in words. */
  purpose: z.string(),
  createdAt: z.int(),
  expiresAt: z.int(),
  revokedAt: z.int().optional(),
})
export type GrantNode = Readonly<z.infer<typeof GrantNode>>

/**
 * What has to be undenied for the node to be made: what it stands on, whoever acts, and the credential that it is
 * obtained with, which is no part of its path. Attack prevented: a stolen secret, which gets one more token while it is
 * being ended.
 */
export function toStanding({ actors, credentialId, grantPath, subjectId }: GrantNode): Standing {
  const grantIds = credentialId === undefined ? grantPath : [...grantPath, credentialId]
  return { grantIds, agentIds: [subjectId, ...actors] }
}
