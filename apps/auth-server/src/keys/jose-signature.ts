// OpenSSL gives an ECDSA signature as DER; JOSE wants R and S side by side (RFC 7518 §3.4).

/** Bytes of R and of S on P-256. */
const SCALAR_BYTES = 32

/**
 * Turns an ECDSA-Sig-Value of P-256 (RFC 3279 §2.2.3: a sequence of two integers) into R and S side by side.
 *
 * Node can do that itself, given `{ key, dsaEncoding }` in place of the key, but then finds out by two
 * exceptions that this is no key: 25 µs a signature.
 */
export function toJoseSignature(der: Uint8Array): Uint8Array {
  // 30 <length> 02 <length of R> R 02 <length of S> S; none is longer than 127 bytes.
  const r = findScalar(der, 2)
  const s = findScalar(der, r.end)
  if (der[0] !== 0x30 || s.end !== der.length) throw new TypeError('this is no signature of P-256')
  const joined = new Uint8Array(2 * SCALAR_BYTES)
  joined.set(der.subarray(r.start, r.end), SCALAR_BYTES - (r.end - r.start))
  joined.set(der.subarray(s.start, s.end), 2 * SCALAR_BYTES - (s.end - s.start))
  return joined
}

/** Finds the bytes of an integer, without the zero that stands before a high bit. */
function findScalar(der: Uint8Array, at: number): { readonly start: number; readonly end: number } {
  const length = der[at + 1] ?? 0
  const end = at + 2 + length
  if (der[at] !== 0x02 || length === 0 || length > SCALAR_BYTES + 1 || end > der.length) {
    throw new TypeError('this is no signature of P-256')
  }
  return { start: length > SCALAR_BYTES ? end - SCALAR_BYTES : at + 2, end }
}
