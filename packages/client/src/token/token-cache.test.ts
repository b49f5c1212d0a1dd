// What every cache of tokens does, whatever it is made of.
import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { connectToRedis, redisUrl } from '../../../../test/support/redis-client.ts'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { openFileTokenCache } from '../node/file-token-cache.ts'
import { createRedisTokenCache } from '../redis/redis-token-cache.ts'
import { createMemoryTokenCache } from './memory-token-cache.ts'
import { createSealedTokenCache } from './sealed-token-cache.ts'
import type { TokenCache } from './token-cache.ts'

type Harness = AsyncDisposable & {
  /** As two processes have it. */
  readonly caches: readonly [TokenCache, TokenCache]
  advance(seconds: number): Promise<void>
}

const SECRET = randomBytes(32).toString('base64url')

async function openMemory(): Promise<Harness> {
  const clock = createSettableClock()
  const cache = createMemoryTokenCache({ clock })
  return {
    caches: [cache, cache],
    advance: async (seconds) => clock.advance(seconds),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

async function openFile(): Promise<Harness> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const clock = createSettableClock()
  const open = async () =>
    stack.use(await openFileTokenCache({ file: folder.file('tokens.sqlite'), clock }))
  const caches = [await open(), await open()] as const
  const resources = stack.move()
  return {
    caches,
    advance: async (seconds) => clock.advance(seconds),
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

async function openRedis(): Promise<Harness> {
  const redis = await connectToRedis()
  const { client, keyPrefix } = redis
  const open = () => createRedisTokenCache({ client, keyPrefix })
  return {
    caches: [open(), open()],
    advance: async (seconds) => redis.advance(seconds),
    [Symbol.asyncDispose]: async () => redis[Symbol.asyncDispose](),
  }
}

async function openSealed(): Promise<Harness> {
  const { caches, ...harness } = await openMemory()
  const [first, second] = caches
  return {
    ...harness,
    caches: [createSealedTokenCache(first, SECRET), createSealedTokenCache(second, SECRET)],
  }
}

const ADAPTERS: readonly [string, () => Promise<Harness>, boolean][] = [
  ['in memory', openMemory, true],
  ['in a file', openFile, true],
  ['on Redis', openRedis, redisUrl !== undefined],
  ['sealed', openSealed, true],
]

describe.each(ADAPTERS)('a token cache %s', (_name, open, isThere) => {
  test.skipIf(!isThere)('gives what another process wrote, under its name alone', async () => {
    await using harness = await open()
    const [mine, theirs] = harness.caches
    await mine.write('one', 'first', 60)
    await mine.write('two', 'other', 60)
    await mine.write('one', 'second', 60)

    expect(await theirs.read('one')).toBe('second')
    expect(await theirs.read('two')).toBe('other')
    expect(await theirs.read('three')).toBeUndefined()
  })

  test.skipIf(!isThere)('forgets a value when its time is over', async () => {
    await using harness = await open()
    const [mine, theirs] = harness.caches
    await mine.write('one', 'first', 60)

    await harness.advance(59)
    const before = await theirs.read('one')
    await harness.advance(1)

    expect([before, await theirs.read('one')]).toEqual(['first', undefined])
  })

  test.skipIf(!isThere)(
    'gives the right to ask to exactly one of many that claim it at once',
    async () => {
      await using harness = await open()
      const holders = Array.from({ length: 50 }, (_, at) => `holder-${String(at)}`)

      const won = await Promise.all(
        holders.map(async (holder, at) =>
          harness.caches[at % 2 === 0 ? 0 : 1].claim('one', holder, 15),
        ),
      )

      expect(won.filter(Boolean)).toHaveLength(1)
      expect(await harness.caches[1].claim('two', 'somebody', 15)).toBe(true)
    },
  )

  test.skipIf(!isThere)('takes the right from a holder that is gone, after its time', async () => {
    await using harness = await open()
    const [mine, theirs] = harness.caches
    await mine.claim('one', 'gone', 15)

    await harness.advance(14)
    const early = await theirs.claim('one', 'next', 15)
    await harness.advance(1)

    expect([early, await theirs.claim('one', 'next', 15)]).toEqual([false, true])
  })

  test.skipIf(!isThere)(
    'gives the right back early, and only what is the holder’s own',
    async () => {
      // A process that was held up gives back late: that must not end the claim of the next one.
      await using harness = await open()
      const [mine, theirs] = harness.caches
      await mine.claim('one', 'late', 15)
      await harness.advance(15)
      await theirs.claim('one', 'next', 15)

      await mine.release('one', 'late')
      const stolen = await mine.claim('one', 'third', 15)
      await theirs.release('one', 'next')

      expect([stolen, await mine.claim('one', 'third', 15)]).toEqual([false, true])
    },
  )
})

describe('a sealed cache', () => {
  test('keeps nothing in the clear, and opens it for nobody else', async () => {
    // Attack: whoever reads the cache, or its backups, has the agent's tokens.
    const inner = createMemoryTokenCache()
    await createSealedTokenCache(inner, SECRET).write('one', 'secret-token', 60)
    const other = createSealedTokenCache(inner, randomBytes(32).toString('base64url'))

    expect(await inner.read('one')).not.toContain('secret-token')
    expect(await other.read('one')).toBeUndefined()
  })

  test('does not open what was moved to another name, or changed', async () => {
    // Attack: whoever writes to the cache has a token for one agent sent to another one.
    const inner = createMemoryTokenCache()
    const sealed = createSealedTokenCache(inner, SECRET)
    await sealed.write('billing', 'token-for-billing', 60)
    const text = (await inner.read('billing')) ?? ''
    await inner.write('research', text, 60)
    await inner.write('changed', `${text.slice(0, -2)}AA`, 60)
    await inner.write('plain', 'token-of-mallory', 60)

    const read = await Promise.all(
      ['research', 'changed', 'plain'].map(async (name) => sealed.read(name)),
    )

    expect(read).toEqual([undefined, undefined, undefined])
  })

  test.each(['', 'c2hvcnQ', `${SECRET}=x`, 'not base64url at all, but long enough to be'])(
    'is refused the secret %j, without repeating it',
    (secret) => {
      const create = () => createSealedTokenCache(createMemoryTokenCache(), secret)

      expect(create).toThrow(
        new TypeError('the secret of a sealed token cache is 32 random bytes, as base64url'),
      )
    },
  )
})

test('a file is for its owner alone', async () => {
  await using folder = await createTemporaryFolder()
  const file = folder.file('tokens.sqlite')
  await using cache = await openFileTokenCache({ file })
  await cache.write('one', 'secret', 60)

  const modes = await Promise.all(
    [file, `${file}-wal`].map(async (path) => (await stat(path)).mode),
  )

  expect(modes.map((mode) => (mode & 0o777).toString(8))).toEqual(['600', '600'])
})
