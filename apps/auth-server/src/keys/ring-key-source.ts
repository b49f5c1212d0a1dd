// The server verifying its own tokens, with the keys that its ring has at that moment.
import { createLocalSigningKeySource, type SigningKeySource } from '@deputy/auth'
import type { Clock, EpochSeconds } from '@deputy/auth/protocol'
import { errors, type JSONWebKeySet } from 'jose'
import type { KeyRing } from './key-ring.ts'

/** Tokens with made-up `kid`s must not become as many queries. */
const RELOAD_AT_MOST_EVERY_SECONDS = 5

/**
 * Creates the source. For an unknown `kid` the ring is loaded again, at most every 5 seconds: another
 * server may have begun to sign with a new key after the old ones were thrown away.
 */
export function createRingSigningKeySource(
  keyRing: Pick<KeyRing, 'publicKeys' | 'reload'>,
  clock: Clock,
): SigningKeySource {
  let held: { readonly keys: JSONWebKeySet; readonly source: SigningKeySource } | undefined
  let mayReloadAt: EpochSeconds = 0

  const find: SigningKeySource = async (header, token) => {
    const keys = keyRing.publicKeys()
    if (held?.keys !== keys) held = { keys, source: createLocalSigningKeySource(keys) }
    return held.source(header, token)
  }

  return async (header, token) => {
    try {
      return await find(header, token)
    } catch (error) {
      const isUnknown = error instanceof errors.JWKSNoMatchingKey
      if (!isUnknown || clock.now() < mayReloadAt) throw error
      mayReloadAt = clock.now() + RELOAD_AT_MOST_EVERY_SECONDS
      await keyRing.reload()
      return find(header, token)
    }
  }
}
