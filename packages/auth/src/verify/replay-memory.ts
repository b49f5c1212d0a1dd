// Remembers what may be used once (the `jti` of a DPoP proof, of a client assertion) for as long as it
// would be good. One port; adapters: this process, Redis, and the authorization server's database.
import { createHash } from 'node:crypto'
import type { Clock, EpochSeconds } from '../protocol/index.ts'

/** What may be used once. */
export type ReplayMemory = {
  /**
   * Claims a key until `expiresAt`: `true` for the first caller, `false` for every other one until that
   * second, from which on the key is free again. Of callers at the same moment exactly one gets `true`.
   * A claim that would be over already is never given.
   *
   * Rejects when the memory cannot be asked or is full, mostly with `ReplayMemoryUnavailableError`: what
   * was to be used once must then be refused.
   */
  claimOnce(key: string, expiresAt: EpochSeconds): Promise<boolean>
}

/** Nobody can say whether this was used before: the memory is full, or its server is gone. */
export class ReplayMemoryUnavailableError extends Error {
  override readonly name = 'ReplayMemoryUnavailableError'
  readonly code = 'replay_memory_unavailable'
}

/**
 * Makes a key of bounded length from what has to be unique together.
 *
 * > a server that is tracking jti values should reject DPoP proof JWTs with unnecessarily large jti
 * > values or store only a hash thereof. (RFC 9449 §11.1)
 *
 * @param kind keeps the uses of one memory apart
 */
export function toReplayKey(kind: string, ...parts: readonly string[]): string {
  return `${kind}:${createHash('sha256').update(JSON.stringify(parts)).digest('base64url')}`
}

export type LocalReplayMemoryOptions = {
  readonly clock: Clock
  /** Live claims held at most, about 150 bytes each. Default 500,000. */
  readonly maxClaims?: number | undefined
}

const MAX_CLAIMS = 500_000

/**
 * Creates a memory in this process: for one instance, and for what may be forgotten with it.
 *
 * When it is full of live claims it rejects each further one rather than forget one. Attack prevented:
 * pushing a used proof out of the memory by a flood of others, then using it again.
 */
export function createLocalReplayMemory(options: LocalReplayMemoryOptions): ReplayMemory {
  const { clock } = options
  const maxClaims = options.maxClaims ?? MAX_CLAIMS
  const claims = new Set<string>()
  // By the second in which they end, so that forgetting never looks at a claim that is live.
  const endings = new Map<EpochSeconds, string[]>()
  let forgottenAt: EpochSeconds | undefined

  function forget(now: EpochSeconds): void {
    if (forgottenAt === now) return
    forgottenAt = now
    for (const [expiresAt, keys] of endings) {
      if (expiresAt > now) continue
      for (const key of keys) claims.delete(key)
      endings.delete(expiresAt)
    }
  }

  return Object.freeze({
    async claimOnce(key: string, expiresAt: EpochSeconds) {
      const now = clock.now()
      forget(now)
      if (expiresAt <= now || claims.has(key)) return false
      if (claims.size >= maxClaims) {
        throw new ReplayMemoryUnavailableError(`${String(maxClaims)} claims are held already`)
      }
      claims.add(key)
      const ending = endings.get(expiresAt)
      if (ending === undefined) endings.set(expiresAt, [key])
      else ending.push(key)
      return true
    },
  })
}
