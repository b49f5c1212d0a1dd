import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  findMissingScopes,
  formatScope,
  isScopeToken,
  MAX_SCOPE_CHARS,
  parseScope,
} from './scope.ts'

const scopeToken = fc
  .array(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 1, maxLength: 20 })
  .map((codes) => String.fromCharCode(...codes))
  .filter((text) => !/["\\]/.test(text))

describe('parseScope (RFC 6749 §3.3)', () => {
  test('reads what formatScope writes, for any scope-tokens', () => {
    fc.assert(
      fc.property(fc.uniqueArray(scopeToken, { minLength: 1, maxLength: 10 }), (tokens) => {
        expect(parseScope(formatScope(tokens))).toEqual({ ok: true, value: tokens })
      }),
    )
  })

  test('reads each scope once, in order', () => {
    expect(parseScope('b:read a:read b:read')).toEqual({ ok: true, value: ['b:read', 'a:read'] })
  })

  test.each(['', ' ', ' a', 'a ', 'a  b', 'a\tb', 'a"b', 'a\\b', 'ä', 'a\u0000'])(
    'refuses %j',
    (value) => {
      const result = parseScope(value)

      expect(result).toMatchObject({ ok: false, refusal: { reason: 'scope_malformed' } })
    },
  )

  test('refuses a value that is too long before it looks at its tokens', () => {
    const result = parseScope('a '.repeat(MAX_SCOPE_CHARS))

    expect(result).toMatchObject({
      refusal: { detail: expect.stringContaining('longer') as string },
    })
  })

  test('reads as many characters as the limit says', () => {
    expect(parseScope('a'.repeat(MAX_SCOPE_CHARS)).ok).toBe(true)
    expect(parseScope('a'.repeat(MAX_SCOPE_CHARS + 1)).ok).toBe(false)
  })

  test('names the token at fault', () => {
    expect(parseScope('good b"ad')).toMatchObject({
      refusal: { detail: expect.stringContaining('b\\"ad') as string },
    })
  })
})

test('isScopeToken takes one token and no space', () => {
  expect([isScopeToken('billing:read'), isScopeToken('a b'), isScopeToken('')]).toEqual([
    true,
    false,
    false,
  ])
})

test('findMissingScopes answers what is required and not granted, in the required order', () => {
  expect(findMissingScopes(['c', 'a', 'b'], ['b', 'x'])).toEqual(['c', 'a'])
})

test.each([
  'billing:readonly',
  'billing:rea',
  'Billing:read',
  'billing:*',
  '*',
  'billing:read x:y',
])('findMissingScopes compares whole scopes: %j does not grant billing:read', (granted) => {
  expect(findMissingScopes(['billing:read'], [granted])).toEqual(['billing:read'])
})

test('isScopeToken agrees with the grammar about every character', () => {
  // RFC 6749 §3.3: %x21 / %x23-5B / %x5D-7E, written a second time.
  const isAllowed = (code: number): boolean =>
    code === 0x21 || (code >= 0x23 && code <= 0x5b) || (code >= 0x5d && code <= 0x7e)
  const codes = Array.from({ length: 0x10000 }, (_, code) => code)

  const wrong = codes.filter((code) => isScopeToken(String.fromCharCode(code)) !== isAllowed(code))

  expect(wrong).toEqual([])
})
