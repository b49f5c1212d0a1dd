// Every text and every list that the admin API takes is bounded: what fits into a body may still be too much
// for a row, a log or an index.
import { expect, test } from 'vitest'
import * as z from 'zod'
import type { AdminDeps } from './admin-deps.ts'
import { createAdminRouter } from './admin-router.ts'

/** A JSON schema, as far as it is looked at. */
type Schema = {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly maxLength?: number
  readonly maxItems?: number
  readonly pattern?: string
  readonly [member: string]: unknown
}

const Procedures = z.record(
  z.string(),
  z.custom<{ readonly _def: { readonly inputs: readonly z.ZodType[] } }>(),
)

/** Patterns that say how long a text may be. */
const isBoundedPattern = (pattern: string): boolean =>
  pattern.startsWith('^') && pattern.endsWith('$') && !/[*+]|,\}/.test(pattern)

/** Where something has no bound, as paths. */
function findUnbounded(schema: Schema, path: string): readonly string[] {
  const own: string[] = []
  const isNamed = schema.const !== undefined || schema.enum !== undefined
  if (schema.type === 'string' && !isNamed) {
    const isBounded = schema.maxLength !== undefined || isBoundedPattern(schema.pattern ?? '')
    if (!isBounded) own.push(`${path}: text`)
  }
  if (schema.type === 'array' && schema.maxItems === undefined) own.push(`${path}: list`)
  const below = Object.entries(schema).flatMap(([name, value]) => {
    if (typeof value !== 'object' || value === null) return []
    return Object.entries(value as Readonly<Record<string, unknown>>).flatMap(([key, child]) =>
      ['properties', 'anyOf', 'oneOf', 'allOf'].includes(name)
        ? findUnbounded(child as Schema, `${path}.${key}`)
        : [],
    )
  })
  const items = schema['items'] ?? schema['additionalProperties']
  const each =
    typeof items === 'object' && items !== null ? findUnbounded(items as Schema, `${path}[]`) : []
  return [...own, ...below, ...each]
}

test('no procedure takes a text or a list without a bound', () => {
  // The router is only read: nothing is called.
  const router = createAdminRouter({ storage: {} } as AdminDeps)
  const procedures = Object.entries(Procedures.parse(router._def.procedures))

  const unbounded = procedures.flatMap(([path, procedure]) =>
    procedure._def.inputs.flatMap((input) =>
      findUnbounded(z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as Schema, path),
    ),
  )

  expect(procedures.length).toBeGreaterThan(30)
  expect(unbounded).toEqual([])
})
