import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toCanonicalJson } from './canonical-json.ts'

test('writes the example of RFC 8785 §3.2.2 to the byte', () => {
  const value: unknown = JSON.parse(`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
    "literals": [null, true, false]
  }`)

  expect(toCanonicalJson(value)).toBe(
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  )
})

test('sorts members by UTF-16 code units (RFC 8785 §3.2.3)', () => {
  const value = {
    '\u20AC': 'Euro Sign',
    '\r': 'Carriage Return',
    '\uFB33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\uD83D\uDE00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00F6': 'Latin Small Letter O With Diaeresis',
  }

  expect(Object.values(JSON.parse(toCanonicalJson(value)) as object)).toEqual([
    // A name that is a whole number comes first in any JavaScript object: here it does in the text too.
    'One',
    'Carriage Return',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ])
})

// RFC 8785, appendix B.
test.each([
  [0, '0'],
  [-0, '0'],
  [5e-324, '5e-324'],
  [-1.7976931348623157e308, '-1.7976931348623157e+308'],
  [9007199254740992, '9007199254740992'],
  [295147905179352830000, '295147905179352830000'],
  [999999999999999900000, '999999999999999900000'],
  [1e21, '1e+21'],
  [0.000001, '0.000001'],
  [1e-7, '1e-7'],
])('writes %d as %s', (value, text) => {
  expect(toCanonicalJson(value)).toBe(text)
})

test('is the same whatever the order of the members, and says the same as the value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const reversed = reverse(value)

      const text = toCanonicalJson(value)

      expect(toCanonicalJson(reversed)).toBe(text)
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

function reverse(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverse)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, member]) => [name, reverse(member)])
  return Object.fromEntries(entries.toReversed())
}

test('leaves out members that are undefined, as JSON does on the wire', () => {
  expect(toCanonicalJson({ b: 1, a: undefined })).toBe('{"b":1}')
})

describe('refuses', () => {
  const circle: { self?: unknown } = {}
  circle.self = circle

  test.each([
    ['NaN', Number.NaN],
    ['an infinite number', { a: [Number.POSITIVE_INFINITY] }],
    ['half of a surrogate pair', 'a\uD800'],
    ['half of a surrogate pair in a name', { '\uDEAD': 1 }],
    ['a date', { at: new Date(0) }],
    ['a map', new Map()],
    ['undefined in a list', [undefined]],
    ['a function', () => 1],
    ['a bigint', 1n],
    ['a value that holds itself', circle],
    ['what is nested without end', JSON.parse('['.repeat(50_000) + ']'.repeat(50_000))],
  ])('%s', (_what, value) => {
    expect(() => toCanonicalJson(value)).toThrow(TypeError)
  })
})
