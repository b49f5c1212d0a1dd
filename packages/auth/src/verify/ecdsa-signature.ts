// JOSE writes an ECDSA signature as R and S side by side (RFC 7518 §3.4); OpenSSL takes DER. Node can translate by
// itself, given `{ key, dsaEncoding }` in place of the key, but then finds out by two exceptions that this is no
// key: 25 µs a signature (docs/adr/0041).

/** The tag of an INTEGER, and of a SEQUENCE. */
const INTEGER = 0x02
const SEQUENCE = 0x30

/** From this length on DER says first how many bytes the length takes (X.690 §8.1.3.5). */
const LONG_FORM = 0x80

/**
 * Turns R and S into an ECDSA-Sig-Value (RFC 3279 §2.2.3): a sequence of two integers, none longer than it must be.
 * Answers `undefined` unless there are exactly two of `scalarBytes` each.
 *
 * Whether R and S are in range, 1 to n-1, is OpenSSL's to check, as it does with any signature. S may be above n/2:
 * no RFC of JOSE forbids that, and nothing here knows a token again by its signature.
 */
export function toDerSignature(joined: Uint8Array, scalarBytes: number): Uint8Array | undefined {
  // Attack prevented: DER in place of R and S, or bytes behind them: one signature in several encodings.
  if (joined.length !== 2 * scalarBytes) return undefined
  const rAt = findFirst(joined, 0, scalarBytes)
  const sAt = findFirst(joined, scalarBytes, 2 * scalarBytes)
  const rBytes = scalarBytes - rAt + signByte(joined[rAt])
  const sBytes = 2 * scalarBytes - sAt + signByte(joined[sAt])
  const length = 2 + rBytes + 2 + sBytes
  const head = length < LONG_FORM ? [SEQUENCE, length] : [SEQUENCE, LONG_FORM | 1, length]
  const der = new Uint8Array(head.length + length)
  der.set(head)
  const next = head.length + 2 + rBytes
  der[head.length] = INTEGER
  der[head.length + 1] = rBytes
  der.set(joined.subarray(rAt, scalarBytes), next - (scalarBytes - rAt))
  der[next] = INTEGER
  der[next + 1] = sBytes
  der.set(joined.subarray(sAt), der.length - (2 * scalarBytes - sAt))
  return der
}

/** The first byte that is not zero, or else the last one: an integer has at least one. */
function findFirst(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end - 1 && bytes[at] === 0) at += 1
  return at
}

/** A zero stands before a high bit, which would make the integer negative. */
function signByte(first = 0): 0 | 1 {
  return first >= 0x80 ? 1 : 0
}
