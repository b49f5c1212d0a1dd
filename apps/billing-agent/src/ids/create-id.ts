import type { EpochSeconds } from '@deputy/auth/protocol'
import { randomBytes } from 'node:crypto'

/**
 * Makes an id (UUID version 7, RFC 9562 §5.7): the moment first, in whole seconds, then 74 random bits. Ids of the
 * same time stand together in an index, so that a book of many millions is written as fast as an empty one.
 */
export function createId(at: EpochSeconds): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(at * 1000, 0, 6)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
