// Limits only ever become narrower (RFC 9396): a hop carries all that the token above carries, and may
// add to it. What is not understood is refused, never ignored. Pure.
import {
  accept,
  Limit,
  toMinorUnits,
  type AuthorizationDetailsClaim,
  type Result,
} from '@deputy/auth/protocol'
import { isDeepStrictEqual } from 'node:util'
import { MAX_DETAILS_CHARS } from '../grants/authorization-details.ts'
import { refuseExchange, type DelegationRefusal } from './delegation-refusal.ts'

type Detail = AuthorizationDetailsClaim[number]
type Refused = { readonly ok: false; readonly refusal: DelegationRefusal }

export type DetailsRequest = {
  /** Of the token above, or of the task grant. */
  readonly carried: readonly Detail[]
  /** What the request asks for beside them. */
  readonly requested: readonly Detail[]
  /** The new token's id: what it limits is counted there. */
  readonly id: string
}

/** Types that the authorization server alone puts into a token: what asks for them is read before. */
const NOT_ON_REQUEST = new Set(['approved_call', 'task_grant'])

/** Adds the requested limits to those that are carried, or says which would widen. */
export function refineDetails(
  request: DetailsRequest,
): Result<readonly Detail[], DelegationRefusal> {
  let details = request.carried
  for (const wanted of request.requested) {
    // Said again, word by word: nothing new.
    if (details.some((one) => isDeepStrictEqual(one, wanted))) continue
    const refined = refineOne(details, wanted, request.id)
    if (!refined.ok) return refined
    details = refined.value
  }
  if (JSON.stringify(details).length > MAX_DETAILS_CHARS) {
    return refuseDetails(
      'too_large',
      `take more than ${String(MAX_DETAILS_CHARS)} characters together`,
    )
  }
  return accept(details)
}

function refineOne(
  carried: readonly Detail[],
  wanted: Detail,
  id: string,
): Result<readonly Detail[], DelegationRefusal> {
  const { type } = wanted
  if (NOT_ON_REQUEST.has(type)) return refuseDetails('not_on_request', `has the type ${type} here`)
  if (!isLimitType(type)) return refineOther(carried, wanted)
  const limit = Limit.safeParse(wanted)
  if (!limit.success) {
    const issue = limit.error.issues[0]
    return refuseDetails('malformed', `of type ${type}: ${issue?.message ?? 'cannot be read'}`)
  }
  // Attack prevented: counting one's own spending at somebody else's grant.
  if (limit.data.identifier !== undefined) {
    return refuseDetails(
      'identifier',
      `of type ${type} has an identifier, which is not the caller's`,
    )
  }
  const widening = findWidening(carried, limit.data)
  if (widening !== undefined) return refuseDetails('widening', widening)
  return accept([...carried, { ...limit.data, identifier: id }])
}

function isLimitType(type: string): boolean {
  return type === 'budget' || type === 'calls' || type === 'allowed_values'
}

/** What the limit would allow and the carried ones do not, in words. */
function findWidening(carried: readonly Detail[], wanted: Limit): string | undefined {
  const known = carried.flatMap((detail) => Limit.safeParse(detail).data ?? [])
  if (wanted.type === 'budget') {
    const asked = toMinorUnits(wanted)
    if (asked === undefined) return `has more decimals than ${wanted.currency}`
    const budgets = known.filter((one) => one.type === 'budget')
    const same = budgets.filter(({ currency }) => currency === wanted.currency)
    if (budgets.length > 0 && same.length === 0) return `is a budget in another currency`
    const cap = Math.min(...same.map((one) => toMinorUnits(one) ?? 0))
    return asked > cap ? 'is a larger budget than the token has' : undefined
  }
  if (wanted.type === 'calls') {
    const caps = known.flatMap((one) => (one.type === 'calls' ? [one.max] : []))
    return wanted.max > Math.min(...caps) ? 'allows more calls than the token has' : undefined
  }
  if (wanted.type !== 'allowed_values') return undefined
  const above = known.filter(
    (one) =>
      one.type === 'allowed_values' &&
      one.field === wanted.field &&
      (one.procedure === undefined || one.procedure === wanted.procedure),
  )
  const isWithin = above.every(
    (one) => one.type === 'allowed_values' && wanted.values.every((v) => one.values.includes(v)),
  )
  return isWithin ? undefined : `allows values of ${wanted.field} that the token does not`
}

/**
 * Details of a type whose meaning only the agent knows: each may take the place of one that is carried,
 * with the same members, shorter lists and otherwise the same values. None may come in anew: who knows
 * whether it is a limit or a permission.
 */
function refineOther(
  carried: readonly Detail[],
  wanted: Detail,
): Result<readonly Detail[], DelegationRefusal> {
  const place = carried.findIndex((one) => one.type === wanted.type && isRefinement(wanted, one))
  if (place === -1) {
    return refuseDetails('widening', `of type ${wanted.type} is not what the token has, or less`)
  }
  return accept(carried.with(place, wanted))
}

function isRefinement(wanted: Detail, one: Detail): boolean {
  const names = Object.keys(one)
  if (!isDeepStrictEqual(names.toSorted(), Object.keys(wanted).toSorted())) return false
  return names.every((name) => isSubset(wanted[name], one[name]))
}

function isSubset(wanted: unknown, one: unknown): boolean {
  if (!Array.isArray(wanted) || !Array.isArray(one)) return isDeepStrictEqual(wanted, one)
  // Attack prevented: an empty list, where it means that there is no limit.
  if (wanted.length === 0 && one.length > 0) return false
  return wanted.every((item) => one.some((other) => isDeepStrictEqual(item, other)))
}

function refuseDetails(rule: string, what: string): Refused {
  return refuseExchange('invalid_authorization_details', rule, `authorization_details ${what}`)
}
