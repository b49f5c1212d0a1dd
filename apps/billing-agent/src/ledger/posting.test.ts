import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assertBalanced, captureEntries, fundingAccount, transfer } from './posting.ts'

const amount = fc.integer({ min: 1, max: 1_000_000_000_000 })

test('a transfer takes from one account what it gives to the other', () => {
  expect(transfer(fundingAccount('system'), 'agent:alice:available', 5)).toEqual([
    { account: 'external:funding', amountMinor: -5 },
    { account: 'agent:alice:available', amountMinor: 5 },
  ])
})

describe('the entries of a capture', () => {
  const hold = {
    holder: { ownerId: 'system', agentId: 'alice' },
    service: 'research.brief',
    heldMinor: 20,
  }

  test('pay the service and return the rest', () => {
    expect(captureEntries({ ...hold, capturedMinor: 15 })).toEqual([
      { account: 'agent:alice:held', amountMinor: -20 },
      { account: 'income:research.brief', amountMinor: 15 },
      { account: 'agent:alice:available', amountMinor: 5 },
    ])
  })

  test('return nothing when all of it was captured', () => {
    expect(captureEntries({ ...hold, capturedMinor: 20 })).toEqual([
      { account: 'agent:alice:held', amountMinor: -20 },
      { account: 'income:research.brief', amountMinor: 20 },
    ])
  })

  test('balance, and hold no entry of nothing, for any amounts', () => {
    fc.assert(
      fc.property(amount, amount, (one, other) => {
        const heldMinor = Math.max(one, other)
        const capturedMinor = Math.min(one, other)

        const entries = captureEntries({ ...hold, heldMinor, capturedMinor })

        expect(() => {
          assertBalanced(entries)
        }).not.toThrow()
        expect(entries.map(({ amountMinor }) => amountMinor)).not.toContain(0)
      }),
    )
  })
})

test.each([
  ['no entries', []],
  ['one entry', [0]],
  ['a sum that is not zero', [5, -4]],
  ['fractions', [1.5, -1.5]],
  ['numbers that are not exact', [2 ** 53, -(2 ** 53)]],
  ['no number', [Number.NaN, 1]],
])('a posting of %s is a bug', (_what, amounts) => {
  const entries = amounts.map((amountMinor) => ({ account: 'a', amountMinor }))

  expect(() => {
    assertBalanced(entries)
  }).toThrow(TypeError)
})
