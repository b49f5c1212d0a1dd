import { LRUCache } from 'lru-cache'

export type GrowingCacheOptions<Value> = {
  /** Entries at most, the least recently used of which make room. */
  readonly max: number
  /** Told of each entry that is gone or replaced. */
  readonly dispose?: ((value: Value, id: string) => void) | undefined
}

/**
 * Creates a cache that takes room as it fills. Bounded by size, with each entry of size 1: bounded by `max`, lru-cache takes
 * room for all of them at once, which an agent that starts waits for.
 */
export function createGrowingCache<Value extends object | number>({
  dispose,
  max,
}: GrowingCacheOptions<Value>): LRUCache<string, Value> {
  return new LRUCache<string, Value>({
    maxSize: max,
    sizeCalculation: () => 1,
    ...(dispose === undefined ? {} : { dispose }),
  })
}
