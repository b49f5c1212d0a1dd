import { Redis } from 'ioredis'
import type { Logger } from 'pino'

/** How long one command may take: a call must not hang because Redis does. */
const COMMAND_TIMEOUT_MS = 500

/** Longest time between two attempts to connect again. */
const MAX_RECONNECT_MS = 2000

/** A connection to Redis or Valkey. */
export type OpenRedis = AsyncDisposable & { readonly redis: Redis }

/**
 * Connects, and goes on trying for as long as it is open. Commands reject at once while there is no
 * connection. Never rejects itself: a server starts without Redis and uses it when it is there.
 */
export function openRedis(url: string, logger: Logger): OpenRedis {
  const redis = new Redis(url, {
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (attempt) => Math.min(attempt * 100, MAX_RECONNECT_MS),
  })
  // Without a listener an error would end the process. Said once: what fails says so itself.
  let isSaid = false
  redis.on('error', (error: Error) => {
    if (!isSaid) logger.warn({ detail: error.message }, 'Redis is out of reach')
    isSaid = true
  })
  redis.on('ready', () => {
    isSaid = false
  })
  return {
    redis,
    async [Symbol.asyncDispose]() {
      redis.disconnect()
    },
  }
}
