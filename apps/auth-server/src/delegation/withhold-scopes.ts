// Scopes that the target gives for approved calls only. Pure.
import { accept, formatScope, type Result } from '@deputy/auth/protocol'
import type { Client } from '../agents/agent.ts'
import { refuseExchange, type DelegationRefusal } from './delegation-refusal.ts'

export type WithholdRequest = {
  /** What would be granted otherwise. */
  readonly scopes: readonly string[]
  /** What was asked for by name, if anything was. */
  readonly requested: readonly string[] | undefined
  readonly client: Pick<Client, 'scopePolicy'>
  readonly target: Pick<Client, 'id' | 'approvalScopes'>
  /** Whether the request names the call that it is for. */
  readonly isForOneCall: boolean
}

/** What is granted, and what is kept back for approved calls. */
export type WithheldScopes = {
  readonly scopes: readonly string[]
  readonly withheld: readonly string[]
}

/** Keeps back what needs approval, or says that nothing else is left. */
export function withholdScopes(
  request: WithholdRequest,
): Result<WithheldScopes, DelegationRefusal> {
  const { client, isForOneCall, requested, scopes, target } = request
  if (isForOneCall || target.approvalScopes.length === 0) return accept({ scopes, withheld: [] })
  const withheld = scopes.filter((scope) => target.approvalScopes.includes(scope))
  const left = scopes.filter((scope) => !withheld.includes(scope))
  const isNamed = requested !== undefined && withheld.length > 0
  if (left.length > 0 && !(isNamed && client.scopePolicy === 'exact')) {
    return accept({ scopes: left, withheld })
  }
  return refuseExchange(
    'invalid_scope',
    'needs_approval',
    `${formatScope(withheld)} at ${target.id} is for approved calls only: name the call in authorization_details (approved_call)`,
  )
}
