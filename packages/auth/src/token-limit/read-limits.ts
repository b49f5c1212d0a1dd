// Reads what a credential is limited to. Strict: an entry that cannot be read, or could not be counted, is
// refused and never passed over, as RFC 9396 §5 has it at the authorization server.
import {
  accept,
  Limit,
  LIMIT_TYPES,
  refuse,
  toMinorUnits,
  type AllowedValuesLimit,
  type LimitType,
  type Result,
} from '../protocol/index.ts'
import type { Principal } from '../principal.ts'
import type { CallsAllowed } from './call-counter.ts'
import type { LimitRefusal } from './limit-refusal.ts'

/** Money below a grant, in whole minor units of its currency. */
export type Budget = {
  readonly identifier: string
  readonly currency: string
  readonly capMinor: number
}

/** A call that was approved, and the approval's id. */
export type Approval = {
  readonly identifier: string
  readonly procedure: string
  readonly inputSha256: string
}

/** What a credential is limited to. All of it holds at once. */
export type TokenLimits = {
  /** One for each grant and currency: the lowest. */
  readonly budgets: readonly Budget[]
  /** One for each grant: the lowest. */
  readonly calls: readonly CallsAllowed[]
  readonly allowedValues: readonly AllowedValuesLimit[]
  readonly approvals: readonly Approval[]
  /** The types of all entries, also of those that Deputy does not know, each once. */
  readonly types: readonly string[]
}

type LimitSource = Pick<Principal, 'grantPath' | 'limits'>

/**
 * Reads the limits of a credential. Refuses with `limit_malformed` an entry of a known type that cannot
 * be read, whose amount is no whole number of minor units, or that names no grant of the credential's own
 * path to be counted under. Attack prevented: a caller that names a grant of its own choice, to use up
 * somebody else's budget or to begin its own anew.
 */
export function readLimits({ grantPath, limits }: LimitSource): Result<TokenLimits, LimitRefusal> {
  const budgets = new Map<string, Budget>()
  const calls = new Map<string, CallsAllowed>()
  const allowedValues: AllowedValuesLimit[] = []
  const approvals: Approval[] = []
  for (const entry of limits) {
    const { type } = entry
    if (!isKnown(type)) continue
    const parsed = Limit.safeParse(entry)
    if (!parsed.success) return refuseMalformed(type)
    const limit = parsed.data
    const { identifier } = limit
    if (limit.type === 'allowed_values') {
      allowedValues.push(limit)
      continue
    }
    if (identifier === undefined) return refuseMalformed(type)
    if (limit.type === 'approved_call') {
      const { input_sha256: inputSha256, procedure } = limit
      approvals.push({ identifier, procedure, inputSha256 })
      continue
    }
    if (!grantPath.includes(identifier)) return refuseMalformed(type)
    if (limit.type === 'calls') {
      const max = Math.min(limit.max, calls.get(identifier)?.max ?? limit.max)
      calls.set(identifier, { identifier, max })
      continue
    }
    const { currency } = limit
    const amountMinor = toMinorUnits(limit)
    if (amountMinor === undefined || !Number.isSafeInteger(amountMinor)) {
      return refuseMalformed(type)
    }
    const key = `${currency} ${identifier}`
    const capMinor = Math.min(amountMinor, budgets.get(key)?.capMinor ?? amountMinor)
    budgets.set(key, { identifier, currency, capMinor })
  }
  return accept({
    budgets: [...budgets.values()],
    calls: [...calls.values()],
    allowedValues,
    approvals,
    types: [...new Set(limits.map(({ type }) => type))],
  })
}

function isKnown(type: string): type is LimitType {
  return LIMIT_TYPES.some((known) => known === type)
}

function refuseMalformed(limitType: LimitType): Result<never, LimitRefusal> {
  return refuse({ reason: 'limit_malformed', limitType })
}
