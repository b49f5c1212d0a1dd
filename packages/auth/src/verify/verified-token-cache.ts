// Remembers tokens that were verified, so that a signature is checked once and not with each request. Only
// good tokens are remembered: a flood of bad ones neither fills the memory nor drives a good one out of it.
// Whether a token was revoked, and who may use it, is asked each time all the same, after this.
import { hash } from 'node:crypto'
import { createGrowingCache } from '../growing-cache.ts'
import type { Principal } from '../principal.ts'
import type { AccessTokenVerifier } from './access-token-verifier.ts'
import type { RemoteSigningKeys } from './remote-signing-keys.ts'

export type VerifiedTokenCacheOptions = {
  /** What the verifier verifies with: when a key leaves, nothing that was verified before counts. */
  readonly keys: Pick<RemoteSigningKeys, 'keepFresh' | 'removals'>
  /** Tokens at most, the least recently used of which make room; about 1 KiB each. Default 10,000. */
  readonly maxTokens?: number | undefined
}

/** Default for how many tokens are remembered. */
const MAX_TOKENS = 10_000

/** Verifications under way that others can join, at most: beyond, each is for itself, and none waits. */
const MAX_SHARED = 1000

/** Creates a verifier that asks the given one about each token once, also when many present it at once. */
export function createVerifiedTokenCache(
  verifier: AccessTokenVerifier,
  options: VerifiedTokenCacheOptions,
): AccessTokenVerifier {
  const { keys } = options
  const known = createGrowingCache<Principal>({ max: options.maxTokens ?? MAX_TOKENS })
  /** What is being verified. Nothing of it stays: a flood of bad tokens leaves nothing behind. */
  const underWay = new Map<string, ReturnType<AccessTokenVerifier['verify']>>()
  let removals = keys.removals()

  /** Forgets everything once a key has left since. */
  function forgetRemoved(): void {
    const now = keys.removals()
    if (now === removals) return
    removals = now
    known.clear()
    // Attack prevented: a verification that began under a key that was thrown away vouches for nobody who comes later.
    underWay.clear()
  }

  async function verifyAnew(id: string, token: string) {
    const before = removals
    const verified = await verifier.verify(token)
    // Attack prevented: a token of a key that was thrown away while its signature was being checked.
    if (verified.ok && keys.removals() === before) {
      known.set(id, verified.value)
    }
    return verified
  }

  async function verifyOnce(id: string, token: string) {
    const shared = underWay.get(id)
    if (shared !== undefined) {
      const verified = await shared
      // It may have been under way for longer than the token had left.
      return verified.ok ? verifier.checkTime(verified.value) : verified
    }
    const verifying = verifyAnew(id, token)
    if (underWay.size >= MAX_SHARED) return verifying
    underWay.set(id, verifying)
    try {
      return await verifying
    } finally {
      if (underWay.get(id) === verifying) underWay.delete(id)
    }
  }

  return Object.freeze({
    clockToleranceSeconds: verifier.clockToleranceSeconds,

    async verify(token: string) {
      const pending = keys.keepFresh()
      if (pending !== undefined) await pending
      forgetRemoved()
      // The text of a token is not kept: who reads the memory finds no credential.
      const id = hash('sha256', token, 'base64url')
      const principal = known.get(id)
      if (principal !== undefined) {
        const inTime = verifier.checkTime(principal)
        if (!inTime.ok) known.delete(id)
        return inTime
      }
      return verifyOnce(id, token)
    },

    checkTime: (principal: Principal) => verifier.checkTime(principal),
  })
}
