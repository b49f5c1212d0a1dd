import { describe, expect, test } from 'vitest'
import { readLimits } from './read-limits.ts'

const grantPath = ['credential-1', 'task-1', 'token-1']
const HASH = 'A'.repeat(43)
const read = (...limits: { type: string; [name: string]: unknown }[]) =>
  readLimits({ grantPath, limits })

const budget = { type: 'budget', currency: 'USD', amount: '5.00', identifier: 'task-1' }
const calls = { type: 'calls', max: 3, identifier: 'task-1' }
const values = { type: 'allowed_values', field: 'a', values: [1] }
const approved = {
  type: 'approved_call',
  procedure: 'billing.hold',
  input_sha256: HASH,
  identifier: 'approval-1',
}

test('reads all that Deputy knows, and names the types of everything', () => {
  expect(read(budget, calls, values, approved, { type: 'colour', is: 'blue' }, budget)).toEqual({
    ok: true,
    value: {
      budgets: [{ identifier: 'task-1', currency: 'USD', capMinor: 500 }],
      calls: [{ identifier: 'task-1', max: 3 }],
      allowedValues: [values],
      approvals: [{ identifier: 'approval-1', procedure: 'billing.hold', inputSha256: HASH }],
      types: ['budget', 'calls', 'allowed_values', 'approved_call', 'colour'],
    },
  })
})

test('of two limits of one grant the lower one counts, once', () => {
  // Attack: one grant named twice, so that each call is counted against the higher one.
  const limits = read(
    calls,
    { ...calls, max: 2 },
    { ...calls, max: 9, identifier: 'token-1' },
    { ...budget, amount: '4' },
    budget,
    { ...budget, currency: 'EUR' },
  )

  expect(limits).toMatchObject({
    value: {
      calls: [
        { identifier: 'task-1', max: 2 },
        { identifier: 'token-1', max: 9 },
      ],
      budgets: [
        { identifier: 'task-1', currency: 'USD', capMinor: 400 },
        { identifier: 'task-1', currency: 'EUR', capMinor: 500 },
      ],
    },
  })
})

describe('refuses as malformed', () => {
  test.each([
    ['a budget with a member that nobody knows', { ...budget, except: 'gifts' }],
    ['a budget without an amount', { ...budget, amount: undefined }],
    ['a budget whose amount is a number', { ...budget, amount: 5 }],
    ['a negative budget', { ...budget, amount: '-5.00' }],
    ['a budget of fractions of a cent', { ...budget, amount: '5.001' }],
    ['a budget beyond exact numbers', { ...budget, currency: 'CLF', amount: '999999999999.9999' }],
    ['a budget of no grant', { ...budget, identifier: undefined }],
    ['calls without a number', { ...calls, max: '3' }],
    ['no calls at all', { ...calls, max: 0 }],
    ['calls of no grant', { ...calls, identifier: undefined }],
    ['values that are no list', { ...values, values: 1 }],
    ['values that allow nothing', { ...values, values: [] }],
    ['values of no field', { ...values, field: '' }],
    ['an approval without an id', { ...approved, identifier: undefined }],
    ['an approval of half a hash', { ...approved, input_sha256: 'AAAA' }],
  ])('%s', (_what, entry) => {
    expect(read(calls, entry)).toEqual({
      ok: false,
      refusal: { reason: 'limit_malformed', limitType: entry.type },
    })
  })

  test.each([budget, calls])('$type of a grant that the token does not stand on', (entry) => {
    // Attack: a caller names a grant of its own choice, to use up somebody else's or to begin anew.
    expect(read({ ...entry, identifier: 'task-of-bob' })).toMatchObject({
      refusal: { reason: 'limit_malformed', limitType: entry.type },
    })
  })
})
