// A token cache on Redis or Valkey, for processes on several machines. Others can read what lies there, so it
// is to be wrapped in `createSealedTokenCache`.
import type { TokenCache } from '../token/token-cache.ts'

/** The part of a Redis client that is used: structural, so that ioredis fits and is not imported. */
export type RedisTokenClient = {
  get(key: string): Promise<string | null>
  set(key: string, value: string, px: 'PX', ttlMs: number): Promise<unknown>
  set(key: string, value: string, px: 'PX', ttlMs: number, nx: 'NX'): Promise<'OK' | null>
  eval(script: string, keys: number, ...keysAndArguments: string[]): Promise<unknown>
}

export type RedisTokenCacheOptions = {
  readonly client: RedisTokenClient
  /** Begins each key, so that the database may hold other things. Default `deputy:token:`. */
  readonly keyPrefix?: string | undefined
}

/** Gives a claim back only where it is still the holder's: a late one must not end the next one's. */
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`

/** Creates the cache. Rejects with the client's errors, which cost a request for a token and no call. */
export function createRedisTokenCache(options: RedisTokenCacheOptions): TokenCache {
  const { client, keyPrefix = 'deputy:token:' } = options
  const toClaim = (name: string): string => `${keyPrefix}${name}:claim`

  return Object.freeze({
    read: async (name: string) => (await client.get(keyPrefix + name)) ?? undefined,
    async write(name: string, value: string, ttlSeconds: number) {
      await client.set(keyPrefix + name, value, 'PX', Math.ceil(ttlSeconds * 1000))
    },
    claim: async (name: string, holder: string, ttlSeconds: number) =>
      (await client.set(toClaim(name), holder, 'PX', Math.ceil(ttlSeconds * 1000), 'NX')) === 'OK',
    async release(name: string, holder: string) {
      await client.eval(RELEASE, 1, toClaim(name), holder)
    },
  })
}
