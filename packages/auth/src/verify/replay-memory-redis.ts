// The replay memory that several instances share, on Redis or Valkey.
import type { Clock, EpochSeconds } from '../protocol/index.ts'
import { ReplayMemoryUnavailableError, type ReplayMemory } from './replay-memory.ts'

/** The part of a Redis client that is used: structural, so that ioredis fits and is not imported. */
export type RedisReplayClient = {
  set(key: string, value: string, px: 'PX', ttlMs: number, nx: 'NX'): Promise<'OK' | null>
}

export type RedisReplayMemoryOptions = {
  readonly client: RedisReplayClient
  readonly clock: Clock
  /** Begins each key, so that the database may hold other things. Default `deputy:replay:`. */
  readonly keyPrefix?: string | undefined
}

/**
 * Creates a memory on Redis. A claim is one `SET … NX`: it never renews the life of an earlier claim.
 *
 * Redis must not evict (`maxmemory-policy noeviction`): what it forgets can be used again.
 */
export function createRedisReplayMemory(options: RedisReplayMemoryOptions): ReplayMemory {
  const { client, clock } = options
  const keyPrefix = options.keyPrefix ?? 'deputy:replay:'

  return Object.freeze({
    async claimOnce(key: string, expiresAt: EpochSeconds) {
      // The clock counts whole seconds begun, so this is up to a second long and never short.
      const ttlMs = (expiresAt - clock.now()) * 1000
      if (ttlMs <= 0) return false
      try {
        return (await client.set(keyPrefix + key, '', 'PX', ttlMs, 'NX')) === 'OK'
      } catch (cause) {
        throw new ReplayMemoryUnavailableError('the replay memory on Redis cannot be asked', {
          cause,
        })
      }
    },
  })
}
