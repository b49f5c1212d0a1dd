// The adapters of the call counter. Its suite runs on every one of them.
import { createMemoryCallCounter, type CallCounter } from '@deputy/auth'
import type { Clock } from '@deputy/auth/protocol'
import { createRedisCallCounter } from '@deputy/serve/redis'
import {
  createLimitUse,
  createLimitUseTable,
  openDatabase,
  type DatabaseLocation,
} from '@deputy/storage'
import { createPostgresDatabase, postgresUrl } from '../support/postgres-database.ts'
import { connectToRedis, redisUrl } from '../support/redis-client.ts'
import { createSettableClock } from '../support/settable-clock.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

/** A counter, others that share its counts, and the time that all live in. */
export type CallCounterHarness = AsyncDisposable & {
  readonly counter: CallCounter
  /** The same counts as another instance has them, and as the agent has them after a restart. */
  readonly openOther: (() => Promise<CallCounter>) | undefined
  readonly clock: Clock
  advance(seconds: number): Promise<void>
}

export type CallCounterAdapter = {
  readonly name: string
  create(): Promise<CallCounterHarness>
}

type Place = AsyncDisposable & { readonly location: DatabaseLocation }

export const migrations = { '001-limits': createLimitUseTable }

function createStoredAdapter(name: string, createPlace: () => Promise<Place>): CallCounterAdapter {
  return {
    name,
    async create() {
      await using stack = new AsyncDisposableStack()
      const { location } = stack.use(await createPlace())
      const clock = createSettableClock()
      const resources = stack.move()
      const open = async (): Promise<CallCounter> => {
        const database = resources.use(await openDatabase({ ...location, migrations }))
        return createLimitUse({ database, clock }).callCounter
      }
      return {
        counter: await open(),
        openOther: open,
        clock,
        advance: async (seconds) => clock.advance(seconds),
        [Symbol.asyncDispose]: async () => resources.disposeAsync(),
      }
    },
  }
}

const memory: CallCounterAdapter = {
  name: 'this process',
  async create() {
    const clock = createSettableClock()
    return {
      counter: createMemoryCallCounter({ clock }),
      openOther: undefined,
      clock,
      advance: async (seconds) => clock.advance(seconds),
      [Symbol.asyncDispose]: async () => undefined,
    }
  },
}

const redis: CallCounterAdapter = {
  name: 'Redis',
  async create() {
    const clock = createSettableClock()
    const connection = await connectToRedis()
    const { client, keyPrefix } = connection
    const open = (): CallCounter =>
      createRedisCallCounter({ redis: client, agentId: 'agent-billing-v2', clock, keyPrefix })
    return {
      counter: open(),
      openOther: async () => open(),
      clock,
      async advance(seconds) {
        clock.advance(seconds)
        await connection.advance(seconds)
      },
      [Symbol.asyncDispose]: async () => connection[Symbol.asyncDispose](),
    }
  },
}

/** A SQLite file of the test's own. */
export async function createSqlitePlace(): Promise<Place> {
  const folder = await createTemporaryFolder()
  const location = { file: folder.file('limits.sqlite') }
  return { location, [Symbol.asyncDispose]: async () => folder[Symbol.asyncDispose]() }
}

async function createPostgresPlace(): Promise<Place> {
  const database = await createPostgresDatabase()
  const location = { url: database.url }
  return { location, [Symbol.asyncDispose]: async () => database[Symbol.asyncDispose]() }
}

/** Where limits are kept in a database. */
export const STORED_PLACES: readonly {
  readonly name: string
  readonly create: () => Promise<Place>
}[] = [
  { name: 'SQLite', create: createSqlitePlace },
  ...(postgresUrl === undefined ? [] : [{ name: 'PostgreSQL', create: createPostgresPlace }]),
]

export const CALL_COUNTER_ADAPTERS: readonly CallCounterAdapter[] = [
  memory,
  ...STORED_PLACES.map(({ create, name }) => createStoredAdapter(name, create)),
  ...(redisUrl === undefined ? [] : [redis]),
]
