import { createFallbackRateLimiter, createMemoryRateLimiter, type RateLimiter } from '@deputy/auth'
import type { Clock } from '@deputy/auth/protocol'
import type { Logger } from 'pino'
import { openRedis } from './open-redis.ts'
import { createRedisRateLimiter } from './redis-rate-limiter.ts'

export type OpenRateLimiterOptions = {
  /** `redis://` or `rediss://`. Left out: each instance counts for itself. */
  readonly redisUrl?: string | undefined
  readonly clock?: Clock | undefined
  readonly logger: Logger
}

/** A limiter and the connection that it holds. */
export type OpenRateLimiter = AsyncDisposable & { readonly limiter: RateLimiter }

/**
 * Opens the limiter of a server. With Redis all instances count together; while it is gone each counts
 * for itself, which is said in the log once.
 */
export function openRateLimiter(options: OpenRateLimiterOptions): OpenRateLimiter {
  const { clock, logger, redisUrl } = options
  const local = createMemoryRateLimiter({ clock })
  if (redisUrl === undefined) {
    return { limiter: local, [Symbol.asyncDispose]: async () => undefined }
  }
  const connection = openRedis(redisUrl, logger)
  const limiter = createFallbackRateLimiter({
    shared: createRedisRateLimiter(connection.redis, { clock }),
    local,
    clock,
    onChange: (isShared) => {
      if (isShared) logger.info('rate limits are shared again')
      else logger.warn('Redis is gone: this instance limits on its own until it is back')
    },
  })
  return { limiter, [Symbol.asyncDispose]: async () => connection[Symbol.asyncDispose]() }
}
