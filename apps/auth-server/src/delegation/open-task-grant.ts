// Opens a task grant: authority for one piece of work, for one agent, for a time, within limits. Pure.
import {
  AgentId,
  AllowedValuesLimit,
  BudgetLimit,
  CallsLimit,
  findMissingScopes,
  LIMIT_USE_TTL_SECONDS,
  toMinorUnits,
  accept,
  refuse,
  type EpochSeconds,
  type Result,
} from '@deputy/auth/protocol'
import { createId } from '@deputy/storage'
import * as z from 'zod'
import { MAX_DELEGATION_DEPTH, ScopeToken, type Client } from '../agents/agent.ts'
import type { GrantNode } from './grant-node.ts'

/** Longest life of a task grant, in seconds: as long as agents remember what was used of its limits. */
export const MAX_TASK_TTL_SECONDS = LIMIT_USE_TTL_SECONDS

/** A limit of a task grant; where it is counted is the grant's own id. */
export const TaskLimit = z.discriminatedUnion('type', [
  BudgetLimit.omit({ identifier: true }).refine(
    (budget) => toMinorUnits(budget) !== undefined,
    'has more decimals than its currency',
  ),
  CallsLimit.omit({ identifier: true }),
  AllowedValuesLimit.omit({ identifier: true }),
])

/** What is asked for. */
export const TaskRequest = z.object({
  agentId: AgentId.describe('the agent that will do the work'),
  purpose: z.string().trim().min(1).max(500).describe('what it is for, in words'),
  scopes: z.array(ScopeToken).min(1).max(100),
  audiences: z.array(AgentId).min(1).max(100).describe('the agents that it may get tokens for'),
  ttlSeconds: z.int().min(1).max(MAX_TASK_TTL_SECONDS).default(3600),
  limits: z.array(TaskLimit).max(10).default([]),
  maxDepth: z
    .int()
    .min(0)
    .max(MAX_DELEGATION_DEPTH)
    .default(MAX_DELEGATION_DEPTH)
    .describe('how often the work may be handed on'),
})
export type TaskRequest = z.infer<typeof TaskRequest>

/** Who opens it, whose authority it is, and for whom. */
export type TaskParties = {
  readonly openedBy: Client
  /** The agent itself, or the one that hands its own authority on to it. */
  readonly subject: Client
  readonly agent: Client
}

export type TaskRefusal =
  | { readonly reason: 'scope_not_allowed'; readonly scopes: readonly string[] }
  | { readonly reason: 'audience_not_allowed'; readonly audiences: readonly string[] }
  | { readonly reason: 'delegation_not_allowed'; readonly detail: string }

/** Makes the root of a tree of grants, or says what would be more than the parties have. */
export function openTaskGrant(
  request: TaskRequest,
  { agent, openedBy, subject }: TaskParties,
  now: EpochSeconds,
): Result<GrantNode, TaskRefusal> {
  const isOwn = subject.id === agent.id
  if (!isOwn && !subject.delegation.to.includes(agent.id)) {
    return refuse({
      reason: 'delegation_not_allowed',
      detail: `${subject.id} may not hand its work on to ${agent.id}`,
    })
  }
  // Handing the task over is the first of the hand-overs that the subject allows.
  const depth = isOwn ? agent.delegation.maxDepth : subject.delegation.maxDepth - 1
  if (depth < 0) {
    return refuse({
      reason: 'delegation_not_allowed',
      detail: `${subject.id} may not hand its work on (delegation.maxDepth is 0)`,
    })
  }
  const travelling = isOwn ? agent.scopes : (subject.delegation.scopes ?? subject.scopes)
  const allowed = agent.scopes.filter(
    (scope) => travelling.includes(scope) && subject.scopes.includes(scope),
  )
  const scopes = findMissingScopes(request.scopes, allowed)
  if (scopes.length > 0) return refuse({ reason: 'scope_not_allowed', scopes })
  const audiences = request.audiences.filter((id) => !agent.audiences.includes(id))
  if (audiences.length > 0) return refuse({ reason: 'audience_not_allowed', audiences })
  const id = createId(now)
  return accept({
    id,
    kind: 'task',
    parentId: undefined,
    grantPath: [id],
    ownerId: subject.ownerId,
    subjectId: subject.id,
    agentId: agent.id,
    actors: isOwn ? [] : [agent.id],
    audiences: [...new Set(request.audiences)],
    scopes: [...new Set(request.scopes)],
    dropped: [],
    limits: request.limits.map((limit) => ({ ...limit, identifier: id })),
    maxDepth: Math.min(request.maxDepth, depth),
    credentialId: undefined,
    openedBy: openedBy.id,
    purpose: request.purpose,
    createdAt: now,
    expiresAt: now + request.ttlSeconds,
    revokedAt: undefined,
  })
}
