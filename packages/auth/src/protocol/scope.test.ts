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
