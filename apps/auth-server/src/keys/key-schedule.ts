// When a signing key may do what. The invariant behind every number: whoever verifies with a JWKS as
// old as it may be has each key from before its first signature until after its last token.
import type { EpochSeconds } from '@deputy/auth/protocol'
import { MAX_ACCESS_TOKEN_TTL_SECONDS } from '../agents/agent.ts'
import type { ActiveSigningKey, NextSigningKey, RetiredSigningKey } from './signing-key-store.ts'

/** How long verifiers may keep the JWKS: its `max-age`. */
export const JWKS_CACHE_SECONDS = 60

/** After at most this time every server on the same store has seen a change of the keys. */
export const RELOAD_WITHIN_SECONDS = 30

/** How far the clocks of servers on one store may differ, and how long a commit may take. */
const SERVER_SKEW_SECONDS = 30

/** The most that a verifier may be told to tolerate (`DEPUTY_CLOCK_TOLERANCE_SECONDS`). */
export const MAX_CLOCK_TOLERANCE_SECONDS = 300

/** How long a key is public before it signs: a JWKS from a server that had not seen it has ended. */
export const PUBLISH_SECONDS = RELOAD_WITHIN_SECONDS + JWKS_CACHE_SECONDS + SERVER_SKEW_SECONDS

/**
 * How long a retired key stays public: another server signs with it until it reloads, and what it
 * signed last lives as long as a token may.
 */
export const RETAIN_SECONDS =
  RELOAD_WITHIN_SECONDS +
  MAX_ACCESS_TOKEN_TTL_SECONDS +
  JWKS_CACHE_SECONDS +
  MAX_CLOCK_TOLERANCE_SECONDS

/** How long a key signs unless told otherwise: 30 days. */
export const DEFAULT_ROTATE_EVERY_SECONDS = 30 * 24 * 60 * 60

/** From when on the next key may sign. */
export function toReadyAt(key: NextSigningKey): EpochSeconds {
  return key.createdAt + PUBLISH_SECONDS
}

/** From when on the active key is to be rotated. */
export function toDueAt(key: ActiveSigningKey, rotateEverySeconds: number): EpochSeconds {
  return key.activatedAt + rotateEverySeconds
}

/** From when on a retired key is no longer published. */
export function toGoneAt(key: RetiredSigningKey): EpochSeconds {
  return key.retiredAt + RETAIN_SECONDS
}
