// The token bucket of `@deputy/auth` on Redis or Valkey, so that all instances count together: one
// script, one round trip, nothing in between for another instance to slip into.
import { toDecision, type RateLimiter } from '@deputy/auth'
import { systemClock, type Clock } from '@deputy/auth/protocol'
import * as z from 'zod'

/** What of a client is needed: ioredis has it. */
export type RedisScripting = {
  eval(script: string, keys: number, ...args: (string | number)[]): Promise<unknown>
}

// KEYS: bucket. ARGV: burst, tokens per second, now. Answers whether one was taken, and what is left
// (as text: Redis cuts numbers to whole ones). The bucket goes when it would be full again.
const SCRIPT = `
local bucket = redis.call('HMGET', KEYS[1], 't', 'a')
local burst, rate, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local tokens, at = tonumber(bucket[1] or burst), tonumber(bucket[2] or now)
if now < at then now = at end
tokens = math.min(burst, tokens + (now - at) * rate)
local taken = 0
if tokens >= 1 then
  tokens = tokens - 1
  taken = 1
end
redis.call('HSET', KEYS[1], 't', tostring(tokens), 'a', tostring(now))
redis.call('EXPIRE', KEYS[1], math.ceil((burst - tokens) / rate) + 60)
return { taken, tostring(tokens) }
`

const Answer = z.tuple([z.number(), z.coerce.number()])

/** Creates the limiter. It rejects while Redis is gone: put it behind `createFallbackRateLimiter`. */
export function createRedisRateLimiter(
  redis: RedisScripting,
  { clock = systemClock }: { readonly clock?: Clock | undefined } = {},
): RateLimiter {
  return {
    async consume(request) {
      const { burst, perMinute } = request.limit
      const key = `deputy:limit:${request.key}`
      const answer = await redis.eval(SCRIPT, 1, key, burst, perMinute / 60, clock.now())
      const [taken, tokens] = Answer.parse(answer)
      return toDecision({ isTaken: taken === 1, tokens }, request)
    },
  }
}
