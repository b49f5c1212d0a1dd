// The adapters of the replay memory. Its suite runs on every one of them.
import {
  createLocalReplayMemory,
  createRedisReplayMemory,
  type RedisReplayClient,
  type ReplayMemory,
} from '@deputy/auth'
import type { Clock } from '@deputy/auth/protocol'
import { openDatabase } from '@deputy/storage'
import { migrations } from '../src/storage/migrations.ts'
import { createKyselyReplayMemory } from '../src/storage/replay-memory.ts'
import type { Tables } from '../src/storage/tables.ts'
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
  {
    name: "a server with Redis's SET … PX … NX",
    async create() {
      const clock = createSettableClock()
      const memory = createRedisReplayMemory({ client: createRedisSet(clock), clock })
      return {
        memory,
        clock,
        advance: async (seconds) => clock.advance(seconds),
        [Symbol.asyncDispose]: async () => undefined,
      }
    },
  },
  {
    name: 'SQLite',
    async create() {
      const clock = createSettableClock()
      const { memory, ...database } = await openReplayDatabase(clock)
      return { ...database, memory, clock, advance: async (seconds) => clock.advance(seconds) }
    },
  },
]

/** A memory in a file of its own, with the file's database. */
export async function openReplayDatabase(clock: Clock) {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const options = { file: folder.file('replay.sqlite'), migrations }
  const { db } = stack.use(await openDatabase<Tables>(options))
  const memory = createKyselyReplayMemory({ commit: async (work) => work(db), clock })
  const resources = stack.move()
  return { db, memory, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

/** What Redis does with this one command, in the clock's time and to the millisecond. */
function createRedisSet(clock: Clock): RedisReplayClient {
  const endings = new Map<string, number>()
  return {
    async set(...[key, , , ttlMs]) {
      const nowMs = clock.now() * 1000
      if (!Number.isInteger(ttlMs) || ttlMs <= 0) throw new Error('ERR invalid expire time')
      if ((endings.get(key) ?? 0) > nowMs) return null
      endings.set(key, nowMs + ttlMs)
      return 'OK'
    },
  }
}
