export {
  openRateLimiter,
  type OpenRateLimiter,
  type OpenRateLimiterOptions,
} from './open-rate-limiter.ts'
export { openRedis, type OpenRedis } from './open-redis.ts'
export { createRedisCallCounter, type RedisCallCounterOptions } from './redis-call-counter.ts'
export { createRedisRateLimiter, type RedisScripting } from './redis-rate-limiter.ts'
