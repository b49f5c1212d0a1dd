import { accept, refuse, type AllowedValuesLimit, type Result } from '../protocol/index.ts'
import type { LimitRefusal } from './limit-refusal.ts'

export type CallInput = {
  readonly procedure: string
  /** As it came over the wire, before any default is filled in. */
  readonly input: unknown
}

/**
 * Checks each limit that concerns this call: one with a procedure concerns that procedure alone, one
 * without concerns every one. A field that the input has not is not allowed, whatever its default.
 */
export function checkAllowedValues(
  limits: readonly AllowedValuesLimit[],
  { input, procedure }: CallInput,
): Result<undefined, LimitRefusal> {
  for (const { field, procedure: only, values } of limits) {
    if (only !== undefined && only !== procedure) continue
    const given = readField(input, field)
    if (!values.some((value) => value === given)) {
      return refuse({ reason: 'limit_value_not_allowed', field, allowedValues: values })
    }
  }
  return accept(undefined)
}

/** Only what came with the input: `constructor.name` and the like are not members of it. */
function readField(input: unknown, field: string): unknown {
  return field.split('.').reduce((value: unknown, name) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    return Reflect.get(value, name)
  }, input)
}
