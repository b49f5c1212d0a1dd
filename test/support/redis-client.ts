import { Redis } from 'ioredis'
import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'

/** The run's Redis or Valkey; `undefined` where there is none, and its suites are skipped. */
export const redisUrl = inject('redisUrl')

/** A connection to the run's server, with keys of its own. */
export type RedisHarness = AsyncDisposable & {
  readonly client: Redis
  /** Begins every key of the test. */
  readonly keyPrefix: string
  /** Lets time pass for the keys of the test: what is left of their lives becomes shorter. */
  advance(seconds: number): Promise<void>
}

/** Connects. */
export async function connectToRedis(): Promise<RedisHarness> {
  if (redisUrl === undefined) throw new TypeError('there is no Redis server in this run')
  const client = new Redis(redisUrl, { lazyConnect: true, maxRetriesPerRequest: 0 })
  await client.connect()
  const keyPrefix = `test:${randomUUID()}:`
  const listKeys = async (): Promise<string[]> => client.keys(`${keyPrefix}*`)
  return {
    client,
    keyPrefix,
    async advance(seconds) {
      for (const key of await listKeys()) {
        const leftMs = (await client.pttl(key)) - seconds * 1000
        if (leftMs > 0) await client.pexpire(key, leftMs)
        else await client.del(key)
      }
    },
    async [Symbol.asyncDispose]() {
      const keys = await listKeys()
      if (keys.length > 0) await client.del(...keys)
      client.disconnect()
    },
  }
}
