import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { AccessToken } from './access-token.ts'
import { createMemoryTokenCache } from './memory-token-cache.ts'
import { shareToken } from './share-token.ts'
import type { TokenCache } from './token-cache.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Processes of one agent that share a cache; each request is answered after so long. */
function createProcesses(
  count: number,
  { answerAfterMs = 50, cache }: { answerAfterMs?: number; cache?: TokenCache } = {},
) {
  const clock = createSettableClock()
  const shared = cache ?? createMemoryTokenCache({ clock })
  let requests = 0
  let error: Error | undefined
  const requestToken = async (): Promise<AccessToken> => {
    requests += 1
    const value = `token-${String(requests)}`
    await new Promise((resolve) => setTimeout(resolve, answerAfterMs))
    if (error !== undefined) throw error
    const [requestedAt, expiresAt] = [clock.now(), clock.now() + 900]
    return AccessToken.create(value, { type: 'Bearer', scopes: ['a'], requestedAt, expiresAt })
  }
  const processes = Array.from({ length: count }, () =>
    shareToken({ cache: shared, clock, key: 'billing', requestToken }),
  )
  return {
    clock,
    cache: shared,
    processes,
    requests: () => requests,
    fail: (cause: Error | undefined) => {
      error = cause
    },
  }
}

/** Settles promises, with all the time that they take. */
async function settle<Value>(promises: readonly Promise<Value>[]) {
  const ended = new AbortController()
  const all = Promise.allSettled(promises).finally(() => ended.abort())
  while (!ended.signal.aborted) {
    // Hashes are made by threads of their own.
    await new Promise((resolve) => setImmediate(resolve))
    await vi.advanceTimersByTimeAsync(10)
  }
  return all
}

const values = (settled: readonly PromiseSettledResult<AccessToken>[]) =>
  settled.map((one) => (one.status === 'fulfilled' ? one.value.reveal() : 'failed'))

test('processes that need a token at once ask for one together', async () => {
  const { processes, requests } = createProcesses(20)

  const tokens = await settle(processes.map(async (request) => request()))

  expect(new Set(values(tokens))).toEqual(new Set(['token-1']))
  expect(requests()).toBe(1)
})

test('a renewal of one is the renewal of all', async () => {
  const { clock, processes, requests } = createProcesses(3)
  const [first] = await settle(processes.map(async (request) => request()))
  const current = first?.status === 'fulfilled' ? first.value : undefined
  clock.advance(800)

  const renewed = await settle(processes.map(async (request) => request(current)))

  expect(new Set(values(renewed))).toEqual(new Set(['token-2']))
  expect(requests()).toBe(2)
})

test('a token that was refused is not taken from the cache again', async () => {
  // Asked again without a current one: what was handed out was discarded.
  const { processes, requests } = createProcesses(2)
  await settle(processes.map(async (request) => request()))

  const [mine] = await settle([processes[0]?.() ?? Promise.reject(new Error('none'))])
  const [theirs] = await settle([processes[1]?.() ?? Promise.reject(new Error('none'))])

  expect(values([mine, theirs].filter((one) => one !== undefined))).toEqual(['token-2', 'token-2'])
  expect(requests()).toBe(2)
})

test('a claim that nobody honours holds a process up for a while, and not for ever', async () => {
  const cache: TokenCache = { ...createMemoryTokenCache(), claim: async () => false }
  const { processes, requests } = createProcesses(1, { cache })

  expect(values(await settle(processes.map(async (request) => request())))).toEqual(['token-1'])
  expect(requests()).toBe(1)
})

test('a cache that fails costs requests, and no caller', async () => {
  const broken = async () => Promise.reject(new Error('Redis is gone'))
  const { processes, requests } = createProcesses(3, {
    cache: { read: broken, write: broken, claim: broken, release: broken },
  })

  const tokens = await settle(processes.map(async (request) => request()))

  expect(values(tokens).toSorted()).toEqual(['token-1', 'token-2', 'token-3'])
  expect(requests()).toBe(3)
})

test('what the authorization server refuses is refused to everybody, one after the other', async () => {
  const { fail, processes } = createProcesses(3)
  fail(new Error('no'))

  expect(values(await settle(processes.map(async (request) => request())))).toEqual([
    'failed',
    'failed',
    'failed',
  ])
})

test.each([
  ['not JSON', 'token-of-mallory'],
  ['another shape', '{"token":"x"}'],
  ['no token', JSON.stringify({ value: 'a b\n', type: 'Bearer', scopes: [], requestedAt: 1 })],
])('what lies in the cache and is %s is as good as nothing', async (_what, text) => {
  const { cache, processes, requests } = createProcesses(1, {
    cache: { ...createMemoryTokenCache(), read: async () => text },
  })
  await cache.write('any', text, 60)

  expect(values(await settle(processes.map(async (request) => request())))).toEqual(['token-1'])
  expect(requests()).toBe(1)
})
