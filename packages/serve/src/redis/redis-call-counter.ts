// The count of calls on Redis or Valkey, for an agent of several instances without a common database: one
// script, one round trip, nothing in between for another instance to slip into.
import { CallCounterUnavailableError, type CallCounter } from '@deputy/auth'
import { accept, refuse, systemClock, type Clock } from '@deputy/auth/protocol'
import * as z from 'zod'
import type { RedisScripting } from './redis-rate-limiter.ts'

export type RedisCallCounterOptions = {
  readonly redis: RedisScripting
  /** Whose calls are counted: the id of the agent that is called. Each agent counts its own. */
  readonly agentId: string
  readonly clock?: Clock | undefined
  /** Begins each key, so that the database may hold other things. Default `deputy:calls:`. */
  readonly keyPrefix?: string | undefined
}

// KEYS: a counter for each grant. ARGV: life in milliseconds, then the most calls for each. Answers the
// number, from 1, of the first that has none left, and counts nothing; or 0.
const SCRIPT = `
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[i + 1]) then return i end
end
for _, key in ipairs(KEYS) do
  redis.call('INCR', key)
  if redis.call('PTTL', key) < tonumber(ARGV[1]) then redis.call('PEXPIRE', key, ARGV[1]) end
end
return 0
`

/**
 * Creates the counter. Redis must keep what it is told (`maxmemory-policy noeviction`, and a log on disk):
 * what it forgets can be used again.
 */
export function createRedisCallCounter(options: RedisCallCounterOptions): CallCounter {
  const { agentId, redis } = options
  const clock = options.clock ?? systemClock
  // In braces: in a cluster all keys of one script lie on one node.
  const prefix = `${options.keyPrefix ?? 'deputy:calls:'}{${agentId}}:`

  async function run(keys: readonly string[], args: readonly number[]): Promise<number> {
    try {
      return z.int().parse(await redis.eval(SCRIPT, keys.length, ...keys, ...args))
    } catch (cause) {
      const message = 'the counter of calls on Redis cannot be asked'
      throw new CallCounterUnavailableError(message, { cause })
    }
  }

  return Object.freeze({
    async take(calls, expiresAt) {
      const [first] = calls
      if (first === undefined) return accept(undefined)
      // The clock counts whole seconds begun, so this is up to a second long and never short.
      const ttlMs = (expiresAt - clock.now()) * 1000
      const keys = calls.map(({ identifier }) => prefix + identifier)
      const spent = ttlMs <= 0 ? 1 : await run(keys, [ttlMs, ...calls.map(({ max }) => max)])
      if (spent === 0) return accept(undefined)
      const { identifier, max } = calls[spent - 1] ?? first
      return refuse({ reason: 'calls_exhausted', identifier, max })
    },
  })
}
