export { readCredentialsFile } from './credentials-file.ts'
export { openFileTokenCache, type FileTokenCacheOptions } from './file-token-cache.ts'
export { fromEnvironment, readFileFromEnvironment } from './from-environment.ts'
export { createPool, type ConnectionPool, type PoolOptions } from './pool.ts'
