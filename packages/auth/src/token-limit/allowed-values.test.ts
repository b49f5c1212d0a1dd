import { describe, expect, test } from 'vitest'
import { checkAllowedValues } from './allowed-values.ts'

const type = 'allowed_values' as const
const check = (
  input: unknown,
  limit: { field: string; values: (string | number | boolean)[]; procedure?: string },
) => checkAllowedValues([{ type, ...limit }], { procedure: 'billing.hold', input }).ok

type Case = [what: string, input: unknown, field: string, values: (string | number | boolean)[]]

test.each<Case>([
  ['a text', { a: 'x' }, 'a', ['y', 'x']],
  ['a number', { a: 1 }, 'a', [1]],
  ['false', { a: false }, 'a', [false]],
  ['a member of a member', { amount: { currency: 'USD' } }, 'amount.currency', ['USD']],
  ['an item of a list', { to: ['alice'] }, 'to.0', ['alice']],
])('lets pass %s that is allowed', (...[, input, field, values]) => {
  expect(check(input, { field, values })).toBe(true)
})

test.each<Case>([
  ['another value', { a: 'z' }, 'a', ['x']],
  ['a text for a number', { a: '1' }, 'a', [1]],
  ['a list that holds it', { a: ['x'] }, 'a', ['x']],
  ['a text with spaces around it', { a: ' x ' }, 'a', ['x']],
  ['an input without the field, whatever its default', {}, 'a', ['x']],
  ['no input', undefined, 'a', ['x']],
  ['null', null, 'a', ['x']],
  ['a text that is no object', 'x', 'a', ['x']],
  ['a member of a text', { a: 'xyz' }, 'a.length', [3]],
  ['what every object has', { a: 1 }, 'constructor.name', ['Object']],
  ['a member of the same name further down', { b: { a: 'x' } }, 'a', ['x']],
])('refuses %s', (...[, input, field, values]) => {
  expect(check(input, { field, values })).toBe(false)
})

describe('a limit with a procedure', () => {
  const values = ['x']

  test('does not concern a call of another one', () => {
    expect(check({ a: 'z' }, { field: 'a', values, procedure: 'billing.quote' })).toBe(true)
  })

  test('is one of that procedure', () => {
    expect(check({ a: 'z' }, { field: 'a', values, procedure: 'billing.hold' })).toBe(false)
    expect(check({ a: 'x' }, { field: 'a', values, procedure: 'billing.hold' })).toBe(true)
  })
})

test('several limits of one field hold together, and the refusal names the one in the way', () => {
  const limits = [
    { type, field: 'a', values: ['x', 'y'] },
    { type, field: 'a', values: ['y', 'z'] },
  ]
  const decide = (a: string) =>
    checkAllowedValues(limits, { procedure: 'billing.hold', input: { a } })

  expect([decide('y').ok, decide('z').ok]).toEqual([true, false])
  expect(decide('x')).toEqual({
    ok: false,
    refusal: { reason: 'limit_value_not_allowed', field: 'a', allowedValues: ['y', 'z'] },
  })
})
