// Which scopes travel: what the subject token carries, of what everybody involved may hold, of what was
// asked for. Nothing left is an error, never everything. Pure.
import { accept, findMissingScopes, formatScope, type Result } from '@deputy/auth/protocol'
import { findAllowedScopes, findHandedOnScopes, type Client } from '../agents/agent.ts'
import { refuseExchange, type DelegationRefusal } from './delegation-refusal.ts'
import type { DropRule, DroppedScope } from './grant-node.ts'

export type ScopesRequest = {
  /** Scopes of the subject token. */
  readonly carried: readonly string[]
  /** Whose authority it is. */
  readonly subject: Client
  /** Who handed the work on, if somebody did. */
  readonly giver: Client | undefined
  readonly actor: Client
  readonly target: Client
  /** `undefined` asks for everything that the target's own procedures need. */
  readonly requested: readonly string[] | undefined
}

export type NarrowedScopes = {
  readonly scopes: readonly string[]
  /** What the subject token carried and the new one does not, with the rule that left it behind. */
  readonly dropped: readonly DroppedScope[]
}

/** Narrows, or says why nothing is left. */
export function narrowScopes(request: ScopesRequest): Result<NarrowedScopes, DelegationRefusal> {
  const { actor, carried, target } = request
  const own = findAllowedScopes(actor, target)
  const wanted = request.requested ?? carried.filter((scope) => own.includes(scope))
  const widened = findMissingScopes(wanted, carried)
  if (widened.length > 0) {
    return refuseExchange(
      'invalid_scope',
      'widening',
      `the subject_token does not carry: ${formatScope(widened)}`,
    )
  }
  const allowed = new Set([...own, ...findHandedOnScopes(actor, target)])
  const findRule = (scope: string): DropRule | undefined => {
    if (!wanted.includes(scope)) return 'not_requested'
    if (request.giver !== undefined && !mayTravel(request.giver, scope)) return 'not_handed_on'
    if (!request.subject.scopes.includes(scope)) return 'subject_may_not'
    if (!actor.scopes.includes(scope)) return 'actor_may_not'
    return allowed.has(scope) ? undefined : 'not_known_to_target'
  }
  const dropped = carried.flatMap((scope) => {
    const rule = findRule(scope)
    return rule === undefined ? [] : [{ scope, rule }]
  })
  const refused = dropped.filter(({ rule }) => rule !== 'not_requested')
  if (refused.length > 0 && actor.scopePolicy === 'exact' && request.requested !== undefined) {
    const what = refused.map(({ rule, scope }) => `${scope} (${rule})`).join(', ')
    const message = `${actor.id} may not have this at ${target.id}: ${what}`
    return refuseExchange('invalid_scope', refused[0]?.rule ?? 'empty', message)
  }
  const scopes = wanted.filter((scope) => findRule(scope) === undefined)
  if (scopes.length === 0) {
    return refuseExchange(
      'invalid_scope',
      'empty',
      `nothing of what the subject_token carries is left for ${actor.id} at ${target.id}`,
    )
  }
  return accept({ scopes, dropped })
}

/** What an agent's policy lets travel with the work that it hands on. */
function mayTravel({ delegation, scopes }: Client, scope: string): boolean {
  return (delegation.scopes ?? scopes).includes(scope)
}
