import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AGENT_SECRET_PATTERN, createAgentSecret, isAgentSecret } from './agent-secret.ts'

const ALPHANUMERIC = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

describe('createAgentSecret', () => {
  test('makes secrets of the published form that pass their own check', () => {
    const apiKey = createAgentSecret('apiKey')
    const clientSecret = createAgentSecret('clientSecret')

    expect(apiKey).toMatch(/^sk-agent-[0-9A-Za-z]{49}$/)
    expect(clientSecret).toMatch(/^cs-agent-[0-9A-Za-z]{49}$/)
    expect(AGENT_SECRET_PATTERN.test(`key=${apiKey};`)).toBe(true)
    expect(isAgentSecret(apiKey, 'apiKey')).toBe(true)
    expect(isAgentSecret(apiKey, 'clientSecret')).toBe(false)
  })

  test('draws bytes again that would favour some characters', () => {
    // 248 and above are not a multiple of 62 away from the end: taken modulo 62 they would make
    // "0" to "7" likelier, and a secret easier to guess.
    let draws = 0
    const secret = createAgentSecret('apiKey', (bytes) => {
      draws += 1
      return bytes.fill(draws === 1 ? 255 : 61)
    })

    expect(draws).toBe(2)
    expect(secret.slice(9, 52)).toBe('z'.repeat(43))
  })

  test('favours no character: each stands for four of the byte values that count', () => {
    const counts = new Map<string, number>()
    for (let byte = 0; byte < 248; byte += 1) {
      const character = createAgentSecret('apiKey', (bytes) => bytes.fill(byte)).charAt(9)
      counts.set(character, (counts.get(character) ?? 0) + 1)
    }

    expect(counts.size).toBe(62)
    expect(new Set(counts.values())).toEqual(new Set([4]))
  })

  test('agrees with the CRC-32 that everybody else computes', () => {
    // CRC-32 of "sk-agent-" and 43 zeros, by zlib: 2640776997 → base62.
    const secret = createAgentSecret('apiKey', (bytes) => bytes.fill(0))

    expect(secret).toBe(`sk-agent-${'0'.repeat(43)}${ZERO_CHECKSUM}`)
  })
})

describe('isAgentSecret', () => {
  test('notices any one character that is mistyped', () => {
    const secret = createAgentSecret('apiKey')
    fc.assert(
      fc.property(
        fc.integer({ min: 9, max: secret.length - 1 }),
        fc.constantFrom(...ALPHANUMERIC.split('')),
        (at, character) => {
          const mistyped = secret.slice(0, at) + character + secret.slice(at + 1)

          expect(isAgentSecret(mistyped, 'apiKey')).toBe(mistyped === secret)
        },
      ),
    )
  })

  test.each(['', 'sk-agent-', 'sk-agent-short', `sk-agent-${'é'.repeat(49)}`])(
    'refuses %j',
    (text) => {
      expect(isAgentSecret(text, 'apiKey')).toBe(false)
    },
  )
})

const ZERO_CHECKSUM = '2siQjN'
