// What stood in the way of a request for scopes, and who could grant it.
import type { Client } from '../agents/agent.ts'
import { findHandedOnScopes, isVisible } from '../agents/agent.ts'
import type { DropRule } from './grant-node.ts'

/** Why a scope was not granted. */
export type MissingRule = DropRule | 'not_carried'

export type MissingScope = {
  readonly scope: string
  readonly rule: MissingRule
  /** Agents that hold the scope and may hand it on to the one that asked. */
  readonly couldGrant: readonly string[]
}

export type MissingRequest = {
  readonly requested: readonly string[]
  readonly actor: Client
  readonly target: Client | undefined
  /** What the subject token of an exchange carried. */
  readonly carried?: readonly string[] | undefined
  /** Whoever can be asked. */
  readonly agents: readonly Client[]
}

/** Finds what is missing, by the settings of now: what was mended since then is not there any more. Pure. */
export function findMissing(request: MissingRequest): readonly MissingScope[] {
  return request.requested.flatMap((scope) => {
    const rule = findRule(scope, request)
    if (rule === undefined) return []
    const couldGrant = request.agents
      .filter((agent) => couldHandOn(agent, request.actor, scope))
      .map(({ id }) => id)
    return [{ scope, rule, couldGrant }]
  })
}

function findRule(
  scope: string,
  { actor, carried, target }: MissingRequest,
): MissingRule | undefined {
  if (carried !== undefined && !carried.includes(scope)) return 'not_carried'
  if (!actor.scopes.includes(scope)) return 'actor_may_not'
  // Attack prevented: learning of an agent of another owner by what is said to be missing there.
  if (target === undefined || !isVisible(actor, target)) return undefined
  const isOwn = actor.ownerId === target.ownerId
  if ((isOwn ? target.scopesSupported : target.sharedScopes).includes(scope)) return undefined
  return findHandedOnScopes(actor, target).includes(scope) ? undefined : 'not_known_to_target'
}

function couldHandOn({ delegation, id, scopes, state }: Client, actor: Client, scope: string) {
  return (
    id !== actor.id &&
    state === 'active' &&
    scopes.includes(scope) &&
    (delegation.scopes ?? scopes).includes(scope) &&
    delegation.to.includes(actor.id)
  )
}
