import { createHash } from 'node:crypto'

/** The SHA-256 of a value as JSON, in hex. */
export function sha256OfJson(value: object): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
