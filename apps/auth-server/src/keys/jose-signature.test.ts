import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { toJoseSignature } from './jose-signature.ts'

/** A DER integer of these bytes. */
const integer = (...bytes: readonly number[]): readonly number[] => [0x02, bytes.length, ...bytes]

const sequence = (...parts: readonly (readonly number[])[]): Uint8Array => {
  const body = parts.flat()
  return Uint8Array.from([0x30, body.length, ...body])
}

test('signatures verify as R and S side by side, whatever the length of either', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
  const lengths = new Set<number>()

  // One of 128 has an R or an S that is shorter than its width.
  for (let place = 0; place < 1000; place += 1) {
    const data = Buffer.from(`text ${String(place)}`)
    const der = sign('sha256', data, privateKey)
    lengths.add(der.length)

    const joined = toJoseSignature(der)

    expect(joined).toHaveLength(64)
    expect(verify('sha256', data, key, joined)).toBe(true)
  }
  expect(lengths.size).toBeGreaterThan(2)
})

test('short integers are padded, and the zero before a high bit is dropped', () => {
  const high = [0, 0xff, ...Array<number>(31).fill(7)]

  const joined = toJoseSignature(sequence(integer(1), integer(...high)))

  expect([...joined]).toEqual([...Array<number>(31).fill(0), 1, ...high.slice(1)])
})

test.each([
  ['nothing', new Uint8Array()],
  ['a truncated one', sequence(integer(1), integer(2)).subarray(0, 6)],
  ['one with bytes after it', Uint8Array.from([...sequence(integer(1), integer(2)), 0])],
  ['integers of another curve', sequence(integer(...Array<number>(48).fill(1)), integer(1))],
  ['something else', sequence([0x04, 1, 1], integer(1))],
])('refuses %s', (_name, der) => {
  expect(() => toJoseSignature(der)).toThrow('this is no signature of P-256')
})
