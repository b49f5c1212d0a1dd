// Two servers that rotate, callers who use their tokens until the last second, and verifiers who keep
// the JWKS for as long as they may and never ask again before: nobody is refused.
import type { Clock } from '@deputy/auth/protocol'
import { createLocalJWKSet, jwtVerify, type JWTVerifyGetKey } from 'jose'
import { expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { START_AT } from '../../test-support/clock.ts'
import { openTestKeyRing, signToken } from '../../test-support/signing-keys.ts'
import { openStorage } from '../storage/open-storage.ts'
import type { KeyRing } from './key-ring.ts'
import { JWKS_CACHE_SECONDS, PUBLISH_SECONDS, RELOAD_WITHIN_SECONDS } from './key-schedule.ts'

const LONGEST_TOKEN = 1800
const TOLERANCE = 300
const STEP = 10

/** Keeps what it read for the whole time that `max-age` allows. */
function createStubbornVerifier(ring: KeyRing, clock: Clock) {
  let heldUntil = -Infinity
  let keys: JWTVerifyGetKey = createLocalJWKSet({ keys: [] })
  return async (token: string): Promise<void> => {
    const now = clock.now()
    if (now >= heldUntil) {
      keys = createLocalJWKSet(ring.publicKeys())
      heldUntil = now + JWKS_CACHE_SECONDS
    }
    await jwtVerify(token, keys, {
      currentDate: new Date(now * 1000),
      clockTolerance: TOLERANCE,
    })
  }
}

test.each([
  { rotateEverySeconds: 2000, rotations: 4 },
  // As often as keys may be rotated at all.
  { rotateEverySeconds: 1, rotations: 20 },
])(
  '$rotations rotations lose no call, $rotateEverySeconds s apart',
  async (row) => {
    const { rotateEverySeconds, rotations } = row
    await using storage = await openStorage({ file: ':memory:' })
    const clock = createSettableClock()
    const { signingKeys: store } = storage
    const open = async () => openTestKeyRing({ store, clock, rotateEverySeconds })
    const rings = [await open(), await open()]
    const verifiers = rings.flatMap((ring) => [
      createStubbornVerifier(ring, clock),
      createStubbornVerifier(ring, clock),
    ])
    const uses = new Map<number, string[]>()
    const signers = new Set<string>()
    const end = START_AT + rotations * Math.max(rotateEverySeconds, PUBLISH_SECONDS)
    let verified = 0

    for (let at = START_AT; at < end; at += STEP) {
      clock.set(at)
      for (const [i, ring] of rings.entries()) {
        // As late as it may be, and each server at another time.
        if ((at - START_AT + i * STEP) % RELOAD_WITHIN_SECONDS === 0) await ring.tick()
        if (at % 40 === 0) {
          signers.add(ring.signer().kid)
          const exp = at + LONGEST_TOKEN
          const token = await signToken(ring.signer(), { iat: at, exp })
          for (const useAt of [at, at + STEP, exp - STEP, exp + TOLERANCE - STEP]) {
            uses.set(useAt, [...(uses.get(useAt) ?? []), token])
          }
        }
      }
      for (const token of uses.get(at) ?? []) {
        for (const verify of verifiers) {
          await verify(token)
          verified += 1
        }
      }
      uses.delete(at)
    }

    expect(signers.size).toBe(rotations)
    expect(verified).toBeGreaterThan(1000)
  },
  30_000,
)
