import { expect, test } from 'vitest'
import { findQuantile, summarize, summarizeRatio } from './statistics.ts'

test('a quantile lies between two values in proportion', () => {
  expect(findQuantile([40, 10, 30, 20], 0.5)).toBe(25)
  expect(findQuantile([40, 10, 30, 20], 0)).toBe(10)
  expect(findQuantile([40, 10, 30, 20], 1)).toBe(40)
  expect(findQuantile([10, 20], 0.1)).toBe(11)
})

test('values are ordered as numbers', () => {
  expect(findQuantile([9, 100, 20], 0.5)).toBe(20)
})

test('a summary has the median and the tenths at both ends', () => {
  const values = Array.from({ length: 21 }, (_, index) => index)

  expect(summarize(values)).toEqual({ median: 10, p10: 2, p90: 18, count: 21 })
})

test('one slice in which the machine paused does not move the median', () => {
  expect(summarize([100, 100, 3, 100, 100]).median).toBe(100)
})

test('a ratio is taken round by round: a slow round slows both sides', () => {
  const ratio = summarizeRatio([100, 10, 100], [50, 5, 50])

  expect(ratio).toEqual({ median: 2, p10: 2, p90: 2, count: 3 })
})

test('rounds that differ cannot be compared, and no values have no median', () => {
  expect(() => summarizeRatio([1, 2], [1])).toThrow(RangeError)
  expect(() => summarize([])).toThrow(RangeError)
})
