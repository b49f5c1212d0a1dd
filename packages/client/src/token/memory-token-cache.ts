import { systemClock, type Clock, type EpochSeconds } from '@deputy/auth/protocol'
import type { TokenCache } from './token-cache.ts'

type Entry = { readonly value: string; readonly expiresAt: EpochSeconds }

/** Creates a cache for several clients of one process. It is private to whoever holds it. */
export function createMemoryTokenCache(options: { readonly clock?: Clock } = {}): TokenCache {
  const { clock = systemClock } = options
  const values = new Map<string, Entry>()
  const claims = new Map<string, Entry>()

  function find(entries: Map<string, Entry>, name: string): Entry | undefined {
    const entry = entries.get(name)
    if (entry === undefined || clock.now() < entry.expiresAt) return entry
    entries.delete(name)
    return undefined
  }

  return Object.freeze({
    read: async (name: string) => find(values, name)?.value,
    async write(name: string, value: string, ttlSeconds: number) {
      // So that what nobody asks for any more does not stay for ever.
      for (const other of values.keys()) find(values, other)
      values.set(name, { value, expiresAt: clock.now() + ttlSeconds })
    },
    async claim(name: string, holder: string, ttlSeconds: number) {
      if (find(claims, name) !== undefined) return false
      claims.set(name, { value: holder, expiresAt: clock.now() + ttlSeconds })
      return true
    },
    async release(name: string, holder: string) {
      if (claims.get(name)?.value === holder) claims.delete(name)
    },
  })
}
