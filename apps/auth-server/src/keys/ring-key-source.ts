// The server verifying its own tokens, with the keys that its ring has at that moment.
import {
  createLocalSigningKeySource,
  type PublishedKeys,
  type SigningKeySource,
} from '@deputy/auth'
import type { Clock, EpochSeconds } from '@deputy/auth/protocol'
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
  let held: { readonly keys: PublishedKeys; readonly source: SigningKeySource } | undefined
  let mayReloadAt: EpochSeconds = 0

  const find: SigningKeySource = async (wanted) => {
    const keys = keyRing.publicKeys()
    if (held?.keys !== keys) held = { keys, source: createLocalSigningKeySource(keys) }
    return held.source(wanted)
  }

  return async (wanted) => {
    const key = await find(wanted)
    if (key !== undefined || clock.now() < mayReloadAt) return key
    mayReloadAt = clock.now() + RELOAD_AT_MOST_EVERY_SECONDS
    await keyRing.reload()
    return find(wanted)
  }
}
