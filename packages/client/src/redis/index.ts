export {
  createRedisTokenCache,
  type RedisTokenCacheOptions,
  type RedisTokenClient,
} from './redis-token-cache.ts'
