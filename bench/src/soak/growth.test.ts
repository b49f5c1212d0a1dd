import { expect, test } from 'vitest'
import { findGrowth } from './growth.ts'

const samples = (...values: readonly number[]) =>
  values.map((value, at) => ({ atMs: at * 1000, value }))

test('what stays the same does not grow', () => {
  expect(findGrowth(samples(5, 5, 5, 5))).toBe(0)
})

test('what rises by a tenth grows by a tenth', () => {
  expect(findGrowth(samples(95, 100, 105))).toBeCloseTo(0.1)
})

test('what goes up and down does not grow', () => {
  expect(Math.abs(findGrowth(samples(10, 12, 10, 12, 10, 12, 10)))).toBeLessThan(0.02)
})

test('one sample says nothing', () => {
  expect(() => findGrowth(samples(1))).toThrow('two samples')
})
