import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { hashInput } from './hash-input.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')

test('is the SHA-256 of the canonical JSON, as Node computes it', async () => {
  const hash = await hashInput({ holdId: 'ä', amountMinor: 5 })

  expect(hash).toBe(sha256('{"amountMinor":5,"holdId":"ä"}'))
  expect(hash).toMatch(/^[\w-]{43}$/)
})

test('is the same whatever the order in which the input was written', async () => {
  expect(await hashInput({ a: 1, b: { c: 2, d: 3 } })).toBe(
    await hashInput({ b: { d: 3, c: 2 }, a: 1 }),
  )
})

test.each([
  [undefined, null],
  [undefined, ''],
  [{ a: 1 }, { a: '1' }],
  [{ a: null }, {}],
  [['a', 'b'], ['ab']],
])('does not take %j for %j', async (one, other) => {
  // Attack: an approval for one call, used for another one that hashes alike.
  expect(await hashInput(one)).not.toBe(await hashInput(other))
})

test('rejects what is no JSON', async () => {
  await expect(hashInput({ at: new Date(0) })).rejects.toThrow(TypeError)
})
