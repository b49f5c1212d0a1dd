import { describe, expect, test } from 'vitest'
import { hashSecret, isSameHash } from './secret-hash.ts'

describe('hashSecret', () => {
  test('is SHA-256 over UTF-8', () => {
    // FIPS 180-4, the example with one block.
    const hash = Buffer.from(hashSecret('abc')).toString('hex')

    expect(hash).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })
})

describe('isSameHash', () => {
  test('takes equal hashes, whatever kind of bytes they are', () => {
    const stored = Uint8Array.from(hashSecret('abc'))

    expect(isSameHash(stored, hashSecret('abc'))).toBe(true)
  })

  test.each(Array.from({ length: 32 }, (_, index) => index))(
    'refuses a hash that differs in byte %i',
    (index) => {
      const hash = Uint8Array.from(hashSecret('abc'))
      const other = hash.with(index, (hash.at(index) ?? 0) ^ 1)

      expect(isSameHash(hash, other)).toBe(false)
    },
  )

  test('refuses the beginning of a hash, and nothing at all', () => {
    // Attack: a hash that was stored cut short must not make secrets easier to hit.
    const hash = hashSecret('abc')

    expect(isSameHash(hash.slice(0, 16), hash)).toBe(false)
    expect(isSameHash(new Uint8Array(), hash)).toBe(false)
  })
})
