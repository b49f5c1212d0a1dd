// JSON in the one form that everybody gets (RFC 8785), so that two who hash the same input get the same hash.

/** Deeper than any input is; keeps a hostile one from using up the stack. */
const MAX_DEPTH = 500

/**
 * Writes a JSON value canonically (RFC 8785). Members that are `undefined` are left out, as they are on
 * the wire. Throws `TypeError` for what is no JSON: a date, `NaN`, half of a surrogate pair, a value that
 * holds itself.
 */
export function toCanonicalJson(value: unknown): string {
  return write(value, 0)
}

function write(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw new TypeError('the value is nested too deeply for canonical JSON')
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return writeText(value)
  if (typeof value === 'number') return writeNumber(value)
  if (Array.isArray(value)) {
    return `[${value.map((item: unknown) => write(item, depth + 1)).join(',')}]`
  }
  if (typeof value === 'object' && isPlain(value)) return writeObject(value, depth)
  throw new TypeError('only null, booleans, numbers, texts, lists and plain objects are JSON')
}

function writeObject(value: object, depth: number): string {
  // > property name strings to be sorted are formatted as arrays of UTF-16 code units
  // (RFC 8785 §3.2.3): the order in which JavaScript compares texts.
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => `${writeText(name)}:${write(member, depth + 1)}`)
  return `{${members.join(',')}}`
}

function writeText(text: string): string {
  // > occurrences of "lone surrogates" [...] MUST cause a compliant JCS implementation to terminate with an
  // > appropriate error (RFC 8785 §3.2.2.2)
  if (!text.isWellFormed()) throw new TypeError('a text with half of a surrogate pair is no JSON')
  return JSON.stringify(text)
}

function writeNumber(value: number): string {
  // > Note: Since Not a Number (NaN) and Infinity are not permitted in JSON, occurrences of NaN or
  // > Infinity MUST cause a compliant JCS implementation to terminate with an appropriate error.
  // (RFC 8785 §3.2.2.3)
  if (!Number.isFinite(value)) throw new TypeError(`${String(value)} is no JSON`)
  return JSON.stringify(value)
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
