// The adapters of the replay memory. Its suite runs on every one of them.
import { createLocalReplayMemory, createRedisReplayMemory, type ReplayMemory } from '@deputy/auth'
import type { Clock } from '@deputy/auth/protocol'
import { openDatabase, type Database, type DatabaseLocation } from '@deputy/storage'
import { migrations } from '../src/storage/migrations.ts'
import { createKyselyReplayMemory, type StoredReplayMemory } from '../src/storage/replay-memory.ts'
import type { Tables } from '../src/storage/tables.ts'
import { createPostgresDatabase, postgresUrl } from '../../../test/support/postgres-database.ts'
import { connectToRedis, redisUrl } from '../../../test/support/redis-client.ts'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'
import { createSettableClock } from '../../../test/support/settable-clock.ts'

/** A memory and the time that it lives in. */
export type ReplayMemoryHarness = AsyncDisposable & {
  readonly memory: ReplayMemory
  readonly clock: Clock
  /** Lets time pass, for the memory too. */
  advance(seconds: number): Promise<void>
}

export type ReplayMemoryAdapter = {
  readonly name: string
  create(): Promise<ReplayMemoryHarness>
  /** For those in a database: the memory with its database. */
  readonly open?: () => Promise<StoredHarness>
}

export type StoredHarness = ReplayMemoryHarness & {
  readonly memory: StoredReplayMemory
  readonly database: Database<Tables>
}

export const REPLAY_MEMORY_ADAPTERS: readonly ReplayMemoryAdapter[] = [
  {
    name: 'this process',
    async create() {
      const clock = createSettableClock()
      const memory = createLocalReplayMemory({ clock })
      return {
        memory,
        clock,
        advance: async (seconds) => clock.advance(seconds),
        [Symbol.asyncDispose]: async () => undefined,
      }
    },
  },
  ...(redisUrl === undefined
    ? []
    : [
        {
          name: 'Redis',
          async create() {
            const clock = createSettableClock()
            const redis = await connectToRedis()
            const { client, keyPrefix } = redis
            return {
              memory: createRedisReplayMemory({ client, clock, keyPrefix }),
              clock,
              async advance(seconds: number) {
                clock.advance(seconds)
                await redis.advance(seconds)
              },
              [Symbol.asyncDispose]: async () => redis[Symbol.asyncDispose](),
            }
          },
        },
      ]),
  createStoredAdapter('SQLite', async () => {
    const folder = await createTemporaryFolder()
    const location = { file: folder.file('replay.sqlite') }
    return { location, [Symbol.asyncDispose]: async () => folder[Symbol.asyncDispose]() }
  }),
  ...(postgresUrl === undefined
    ? []
    : [
        createStoredAdapter('PostgreSQL', async () => {
          const database = await createPostgresDatabase()
          const location = { url: database.url }
          return { location, [Symbol.asyncDispose]: async () => database[Symbol.asyncDispose]() }
        }),
      ]),
]

/** The adapters that keep claims in a database. */
export const STORED_REPLAY_MEMORY_ADAPTERS = REPLAY_MEMORY_ADAPTERS.filter(
  (adapter) => adapter.open !== undefined,
)

type Place = AsyncDisposable & { readonly location: DatabaseLocation }

function createStoredAdapter(name: string, createPlace: () => Promise<Place>): ReplayMemoryAdapter {
  const open = async () => {
    await using stack = new AsyncDisposableStack()
    const { location } = stack.use(await createPlace())
    const database = stack.use(await openDatabase<Tables>({ ...location, migrations }))
    const clock = createSettableClock()
    const memory = createKyselyReplayMemory({ database, clock })
    const resources = stack.move()
    return {
      database,
      memory,
      clock,
      advance: async (seconds: number) => clock.advance(seconds),
      [Symbol.asyncDispose]: async () => resources.disposeAsync(),
    }
  }
  return { name, create: open, open }
}
