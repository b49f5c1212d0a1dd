import { accept, refuse, type Clock, type EpochSeconds } from '../protocol/index.ts'
import { CallCounterUnavailableError, type CallCounter } from './call-counter.ts'

export type MemoryCallCounterOptions = {
  readonly clock: Clock
  /** Grants that are counted at most, about 150 bytes each. Default 100,000. */
  readonly maxGrants?: number | undefined
}

const MAX_GRANTS = 100_000

/**
 * Creates a counter in this process: for tests. A restart gives every grant all of its calls again.
 *
 * When it is full it rejects further grants rather than forget one.
 */
export function createMemoryCallCounter(options: MemoryCallCounterOptions): CallCounter {
  const { clock } = options
  const maxGrants = options.maxGrants ?? MAX_GRANTS
  const counts = new Map<string, { used: number; expiresAt: EpochSeconds }>()

  function forget(now: EpochSeconds): void {
    for (const [identifier, { expiresAt }] of counts) {
      if (expiresAt <= now) counts.delete(identifier)
    }
  }

  return Object.freeze({
    async take(calls, expiresAt) {
      const now = clock.now()
      const live = calls.map(({ identifier, max }) => {
        const count = counts.get(identifier)
        return count === undefined || count.expiresAt <= now
          ? { identifier, max, used: 0, expiresAt }
          : { identifier, max, ...count }
      })
      const spent = live.find(({ max, used }) => used >= max || expiresAt <= now)
      if (spent !== undefined) {
        const { identifier, max } = spent
        return refuse({ reason: 'calls_exhausted', identifier, max })
      }
      const added = calls.filter(({ identifier }) => !counts.has(identifier)).length
      if (counts.size + added > maxGrants) forget(now)
      if (counts.size + added > maxGrants) {
        throw new CallCounterUnavailableError(`${String(maxGrants)} grants are counted already`)
      }
      for (const { identifier, used, expiresAt: until } of live) {
        counts.set(identifier, { used: used + 1, expiresAt: Math.max(until, expiresAt) })
      }
      return accept(undefined)
    },
  })
}
