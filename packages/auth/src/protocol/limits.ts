// Limits that travel in a token's `authorization_details` (RFC 9396 §2) and that Deputy's agents
// understand. Each hop may add narrower ones; none is ever taken away, and all of them hold together.
// `identifier` names the grant that set the limit: what the whole tree below it uses up is counted there.
import * as z from 'zod'
import { decimalsOf } from './currency.ts'
import { NonEmptyText } from './text.ts'

const Identifier = NonEmptyText.max(64)

/** Money that may be held or spent below the grant, in the currency's major unit: `"5.00"`. */
export const BudgetLimit = z.strictObject({
  type: z.literal('budget'),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be three capital letters, like USD'),
  amount: z.string().regex(/^\d{1,12}(?:\.\d{1,4})?$/, 'must be a decimal number, like 5.00'),
  identifier: Identifier.optional(),
})
export type BudgetLimit = z.infer<typeof BudgetLimit>

/** Calls that may be made to one agent below the grant. */
export const CallsLimit = z.strictObject({
  type: z.literal('calls'),
  max: z.int().min(1).max(1_000_000_000),
  identifier: Identifier.optional(),
})
export type CallsLimit = z.infer<typeof CallsLimit>

/** What a member of a procedure's input may be. `field` is a path into the input, like `amount.currency`. */
export const AllowedValuesLimit = z.strictObject({
  type: z.literal('allowed_values'),
  /** Left out: every procedure whose input has the field; one that has it not is refused. */
  procedure: NonEmptyText.max(200).optional(),
  field: NonEmptyText.max(200),
  values: z
    .array(z.union([z.string().max(500), z.number(), z.boolean()]))
    .min(1)
    .max(50),
  identifier: Identifier.optional(),
})
export type AllowedValuesLimit = z.infer<typeof AllowedValuesLimit>

/** A call that somebody approved: this procedure with this input, once. */
export const ApprovedCall = z.strictObject({
  type: z.literal('approved_call'),
  procedure: NonEmptyText.max(200),
  /** SHA-256 of the input as canonical JSON (RFC 8785), base64url. */
  input_sha256: z.string().regex(/^[\w-]{43}$/),
  /** The approval's id. */
  identifier: Identifier.optional(),
})
export type ApprovedCall = z.infer<typeof ApprovedCall>

/** An approval that is asked for, in a token request: the call, and for the approver's eyes its input. */
export const ApprovedCallRequest = ApprovedCall.omit({ identifier: true }).extend({
  /** Must hash to `input_sha256`. Left out, the approver sees the hash alone. */
  input: z.json().optional(),
})
export type ApprovedCallRequest = z.infer<typeof ApprovedCallRequest>

/** The types that Deputy knows; an agent says which of them its procedures honour. */
export const Limit = z.discriminatedUnion('type', [
  BudgetLimit,
  CallsLimit,
  AllowedValuesLimit,
  ApprovedCall,
])
export type Limit = z.infer<typeof Limit>

/** Names of those types. */
export const LIMIT_TYPES = ['budget', 'calls', 'allowed_values', 'approved_call'] as const
export type LimitType = (typeof LIMIT_TYPES)[number]

/**
 * An amount in whole minor units of its currency (cents for USD), or `undefined` where it has more
 * decimals than the currency (ISO 4217).
 */
export function toMinorUnits({ amount, currency }: Pick<BudgetLimit, 'amount' | 'currency'>) {
  const digits = decimalsOf(currency)
  const [whole = '', fraction = ''] = amount.split('.')
  const kept = fraction.replace(/0+$/, '')
  if (kept.length > digits) return undefined
  return Number(whole + kept.padEnd(digits, '0'))
}

/** An amount in its currency's major unit, from whole minor units: 35 of USD is `"0.35"`. */
export function fromMinorUnits(amountMinor: number, currency: string): string {
  const digits = decimalsOf(currency)
  if (digits === 0) return String(amountMinor)
  const text = String(amountMinor).padStart(digits + 1, '0')
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/**
 * How long an agent remembers what was used of a limit after it was last used: 31 days. A grant that
 * sets limits must not live longer, or it would begin anew.
 */
export const LIMIT_USE_TTL_SECONDS = 31 * 24 * 60 * 60
