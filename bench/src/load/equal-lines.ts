// A file of lines of equal length, of which any can be had by its number without a list of them all:
// a million credentials as strings would cost the generator more memory and time than the load.
import { readFileSync } from 'node:fs'

export type EqualLines = {
  readonly count: number
  /** The line of this number, from 0. */
  at(index: number): string
}

/** Reads the file. Throws `TypeError` when its lines are not of equal length. */
export function readEqualLines(file: string): EqualLines {
  const bytes = readFileSync(file)
  const stride = bytes.indexOf('\n') + 1
  if (stride === 0 || bytes.length % stride !== 0) {
    throw new TypeError(`${file} has no lines of equal length`)
  }
  const count = bytes.length / stride
  for (let end = stride; end <= bytes.length; end += stride) {
    if (bytes[end - 1] !== 0x0a) throw new TypeError(`${file} has no lines of equal length`)
  }
  return {
    count,
    at: (index) => bytes.toString('latin1', index * stride, (index + 1) * stride - 1),
  }
}
