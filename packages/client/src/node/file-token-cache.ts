// A token cache in one file, for processes of one agent on one machine: SQLite, as it has what a claim needs.
import { systemClock, type Clock } from '@deputy/auth/protocol'
import { chmod, open } from 'node:fs/promises'
import type { TokenCache } from '../token/token-cache.ts'

export type FileTokenCacheOptions = {
  /** Made where it is not there. Only its owner may read it; its folder must be there. */
  readonly file: string
  readonly clock?: Clock | undefined
}

/** How long one process waits for another that is writing. */
const BUSY_MS = 1000

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS tokens (
    name TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS claims (
    name TEXT PRIMARY KEY, holder TEXT NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT;`

/**
 * Opens the cache. Rejects where the file cannot be opened. Tokens lie in it as they are: `chmod 600` keeps
 * them from other users, and `createSealedTokenCache` from whoever reads its backups.
 */
export async function openFileTokenCache(
  options: FileTokenCacheOptions,
): Promise<TokenCache & AsyncDisposable> {
  const { clock = systemClock, file } = options
  // Not at the top: who imports this subpath for something else need not have SQLite.
  const { DatabaseSync } = await import('node:sqlite')
  await (await open(file, 'a', 0o600)).close()
  await chmod(file, 0o600)
  const database = new DatabaseSync(file, { timeout: BUSY_MS })
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; ${SCHEMA}`)
  const read = database.prepare('SELECT value FROM tokens WHERE name = ? AND expires_at > ?')
  const write = database.prepare('REPLACE INTO tokens (name, value, expires_at) VALUES (?, ?, ?)')
  const prune = database.prepare('DELETE FROM tokens WHERE expires_at <= ?')
  const claim = database.prepare(`INSERT INTO claims (name, holder, expires_at) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
    WHERE claims.expires_at <= ?`)
  const release = database.prepare('DELETE FROM claims WHERE name = ? AND holder = ?')

  return Object.freeze({
    async read(name: string) {
      const value = read.get(name, clock.now())?.['value']
      return typeof value === 'string' ? value : undefined
    },
    async write(name: string, value: string, ttlSeconds: number) {
      prune.run(clock.now())
      write.run(name, value, Math.ceil(clock.now() + ttlSeconds))
    },
    async claim(name: string, holder: string, ttlSeconds: number) {
      const now = clock.now()
      return claim.run(name, holder, Math.ceil(now + ttlSeconds), now).changes === 1
    },
    async release(name: string, holder: string) {
      release.run(name, holder)
    },
    async [Symbol.asyncDispose]() {
      database.close()
    },
  })
}
