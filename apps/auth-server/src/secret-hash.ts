import { hash, timingSafeEqual } from 'node:crypto'

/**
 * Hashes a client secret or an API key for keeping. Plain SHA-256 is right here: the secrets are 256
 * random bits, so there is nothing to guess and a slow hash would only cost.
 */
export function hashSecret(secret: string): Uint8Array {
  return hash('sha256', secret, 'buffer')
}

/** Compares two hashes in constant time. */
export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
