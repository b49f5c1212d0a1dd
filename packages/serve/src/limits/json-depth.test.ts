import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isNestedDeeper } from './json-depth.ts'

/** By walking the value. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

test('says of any JSON what walking its value says', () => {
  fc.assert(
    fc.property(fc.json({ depthSize: 'xlarge', maxDepth: 12 }), fc.nat(14), (json, most) => {
      expect(isNestedDeeper(json, most)).toBe(depthOf(JSON.parse(json)) > most)
    }),
  )
})

test.each([
  ['brackets in a text', JSON.stringify(['[{'.repeat(1000)])],
  ['a text that ends in a quoted backslash', JSON.stringify(['\\', '[[[['])],
  ['many, one after the other', JSON.stringify(Array.from({ length: 1000 }, () => []))],
  ['a quoted quote', JSON.stringify([`"${'['.repeat(100)}`])],
])('is not misled by %s', (_what, json) => {
  expect(isNestedDeeper(json, 3)).toBe(false)
})

test.each(['['.repeat(1_000_000), '{"a":'.repeat(100_000), `"x",${'['.repeat(30)}`])(
  'finds it in what is no JSON too, without a stack of its own',
  (text) => {
    expect(isNestedDeeper(text, 8)).toBe(true)
  },
)
