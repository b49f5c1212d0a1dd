import type { PublicJwk } from '@deputy/auth/protocol'
import { expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { makeClientKey } from '../../test-support/storage-adapters.ts'
import { createRemoteClientKeys } from './client-keys-remote.ts'

const URI = 'https://alice.example/jwks'

function createHarness(options: { maxClients?: number } = {}) {
  const clock = createSettableClock()
  const client = { kids: ['a'], isDown: false, requests: 0 }
  const remote = createRemoteClientKeys({
    clock,
    ...options,
    fetchJwks: async () => {
      client.requests += 1
      await Promise.resolve()
      if (client.isDown) throw new Error('it is down')
      return client.kids.map((kid) => ({ ...makeClientKey().publicJwk, kid }))
    },
  })
  const find = async (kid: string, uri = URI): Promise<number> =>
    (await remote.find(uri, (key: PublicJwk) => key.kid === kid)).keys.length
  return { clock, client, remote, find }
}

test('keys are fetched once for as long as they are young', async () => {
  const { client, clock, find } = createHarness()

  const found = [await find('a')]
  clock.advance(599)
  found.push(await find('a'))

  expect([found, client.requests]).toEqual([[1, 1], 1])
})

test('keys that are old are fetched again: one that the client withdrew ends', async () => {
  const { client, clock, find } = createHarness()
  await find('a')
  client.kids = ['b']

  clock.advance(600)

  expect([await find('a'), await find('b'), client.requests]).toEqual([0, 1, 2])
})

test('many who ask at once wait for one fetch', async () => {
  const { client, find } = createHarness()

  const found = await Promise.all(Array.from({ length: 20 }, async () => find('a')))

  expect([new Set(found), client.requests]).toEqual([new Set([1]), 1])
})

test('a key that is not known is looked for again, once in each cool-down', async () => {
  // Attack: invented key ids, to make this server flood a client with requests.
  const { client, clock, find } = createHarness()
  await find('a')
  clock.advance(29)
  await Promise.all(Array.from({ length: 20 }, async () => find('invented')))
  const within = client.requests
  clock.advance(1)
  await Promise.all(Array.from({ length: 20 }, async () => find('invented')))
  await find('invented')

  expect([within, client.requests]).toEqual([1, 2])
})

test('a new key is found as soon as the cool-down is over', async () => {
  const { client, clock, find } = createHarness()
  await find('a')
  client.kids = ['a', 'b']

  clock.advance(30)

  expect(await find('b')).toBe(1)
})

test('keys outlive an outage, for a day', async () => {
  const { client, clock, find } = createHarness()
  await find('a')
  client.isDown = true
  const at = async (seconds: number): Promise<number> => {
    clock.set(1_800_000_000 + seconds)
    return find('a')
  }

  expect([await at(600), await at(86_399), await at(86_400)]).toEqual([1, 1, 0])
})

test('a client that is down is asked once in each cool-down, and the operator learns why', async () => {
  const { client, clock, find, remote } = createHarness()
  client.isDown = true
  await find('a')
  clock.advance(29)
  const down = await remote.find(URI, () => true)
  const requestsWhileDown = client.requests
  client.isDown = false
  clock.advance(1)
  const up = await remote.find(URI, () => true)

  expect(down).toEqual({ keys: [], fault: 'it is down' })
  expect(requestsWhileDown).toBe(1)
  expect(up).toMatchObject({ keys: [{ kid: 'a' }], fault: undefined })
})

test('the client that was not heard of for longest is forgotten first', async () => {
  const { client, find } = createHarness({ maxClients: 2 })
  await find('a', 'https://one.example/')
  await find('a', 'https://two.example/')
  await find('a', 'https://one.example/')
  await find('a', 'https://three.example/')
  const before = client.requests
  await find('a', 'https://one.example/')
  const kept = client.requests
  await find('a', 'https://two.example/')

  expect([before, kept, client.requests]).toEqual([3, 3, 4])
})
