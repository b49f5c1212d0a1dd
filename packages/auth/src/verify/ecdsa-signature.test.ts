import * as fc from 'fast-check'
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { toDerSignature } from './ecdsa-signature.ts'

const CURVES = [
  { curve: 'P-256', hash: 'sha256', scalarBytes: 32 },
  { curve: 'P-384', hash: 'sha384', scalarBytes: 48 },
  { curve: 'P-521', hash: 'sha512', scalarBytes: 66 },
] as const

describe.each(CURVES)('on $curve', ({ curve, hash, scalarBytes }) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve })
  const joinedOf = (text: string): Uint8Array =>
    sign(hash, Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  const isGood = (text: string, signature: Uint8Array | undefined): boolean =>
    signature !== undefined && verify(hash, Buffer.from(text), publicKey, signature)

  test('is the DER that OpenSSL takes, short and long scalars included', () => {
    for (let index = 0; index < 300; index += 1) {
      const text = `text ${String(index)}`

      expect(isGood(text, toDerSignature(joinedOf(text), scalarBytes))).toBe(true)
    }
  })

  test('is the DER that OpenSSL writes, byte for byte', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 2 * scalarBytes, maxLength: 2 * scalarBytes }),
        fc.nat(scalarBytes),
        fc.nat(scalarBytes),
        (joined, rZeros, sZeros) => {
          joined.fill(0, 0, rZeros)
          joined.fill(0, scalarBytes, scalarBytes + sZeros)

          const der = toDerSignature(joined, scalarBytes)

          expect(der).toEqual(encode(joined, scalarBytes))
        },
      ),
    )
  })

  test.each([0, 1, 2 * scalarBytes - 1, 2 * scalarBytes + 1, 4 * scalarBytes])(
    'is none of %i bytes',
    (length) => {
      expect(toDerSignature(new Uint8Array(length).fill(1), scalarBytes)).toBeUndefined()
    },
  )

  test('is no good with R or S of zero', () => {
    // Attack: CVE-2022-21449, where a signature of nothing but zeros was everybody's.
    const good = joinedOf('text')
    const noR = Uint8Array.from(good).fill(0, 0, scalarBytes)
    const noS = Uint8Array.from(good).fill(0, scalarBytes)

    for (const joined of [noR, noS, new Uint8Array(2 * scalarBytes)]) {
      const der = toDerSignature(joined, scalarBytes)

      expect(der).toBeInstanceOf(Uint8Array)
      expect(isGood('text', der)).toBe(false)
    }
  })

  test('is no good with scalars beyond the order of the curve', () => {
    const all = new Uint8Array(2 * scalarBytes).fill(0xff)

    expect(isGood('text', toDerSignature(all, scalarBytes))).toBe(false)
  })
})

/** The order of P-256 (SEC 2 §2.4.2). */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

test('takes S above half of the order: no RFC forbids it', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const text = Buffer.from('text')
  const joined = sign('sha256', text, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  const s = BigInt(`0x${joined.subarray(32).toString('hex')}`)
  const other = Buffer.from((P256_ORDER - s).toString(16).padStart(64, '0'), 'hex')

  const ders = [joined, Buffer.concat([joined.subarray(0, 32), other])].map((one) =>
    toDerSignature(one, 32),
  )

  expect(ders.map((der) => der !== undefined && verify('sha256', text, publicKey, der))).toEqual([
    true,
    true,
  ])
})

test('takes no R that was lengthened by the order of the curve, which would be another writing of the same R', () => {
  // Attack: a second text for one signature, where OpenSSL would reduce what is out of range.
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const text = Buffer.from('text')
  let joined = sign('sha256', text, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  const der = toDerSignature(joined, 32)
  expect(der !== undefined && verify('sha256', text, publicKey, der)).toBe(true)
  const r = BigInt(`0x${joined.subarray(0, 32).toString('hex')}`) + P256_ORDER
  const long = Buffer.from(r.toString(16).padStart(66, '0'), 'hex')
  joined = Buffer.concat([long, joined.subarray(32)])

  expect(toDerSignature(joined, 32)).toBeUndefined()
  expect(createPublicKey(privateKey).equals(publicKey)).toBe(true)
})

/** An independent encoder, by way of big integers. */
function encode(joined: Uint8Array, scalarBytes: number): Uint8Array {
  const integer = (bytes: Uint8Array): Buffer => {
    const hex = BigInt(`0x${Buffer.from(bytes).toString('hex')}`).toString(16)
    const even = hex.length % 2 === 0 ? hex : `0${hex}`
    const padded = Number.parseInt(even.slice(0, 2), 16) >= 0x80 ? `00${even}` : even
    return wrap(0x02, Buffer.from(padded, 'hex'))
  }
  const wrap = (tag: number, content: Buffer): Buffer => {
    const length = content.length < 128 ? [content.length] : [0x81, content.length]
    return Buffer.concat([Buffer.from([tag, ...length]), content])
  }
  const r = integer(joined.subarray(0, scalarBytes))
  return Uint8Array.from(wrap(0x30, Buffer.concat([r, integer(joined.subarray(scalarBytes))])))
}
