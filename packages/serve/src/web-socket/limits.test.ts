// Abuse of one connection or of many; after each, somebody else is answered.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { bearer } from '../../../../test/support/call-trpc.ts'
import { openWebSocket } from '../../../../test/support/raw-socket.ts'
import {
  startTestAgent,
  type TestAgent,
  type TestAgentOptions,
} from '../../../../test/support/test-agent.ts'

afterEach(() => {
  vi.useRealTimers()
})

async function connect(agent: TestAgent, claims = {}) {
  const url = `ws://127.0.0.1:${String(agent.port)}/trpc`
  const connection = await openWebSocket(url, bearer(await agent.token(claims)))
  connection.send(query(0, 'whoAmI'))
  return connection
}
const query = (id: number, path: string, input?: unknown) => ({
  id,
  method: 'query',
  params: { path, input },
})
const subscribe = (id: number, path: string) => ({ id, method: 'subscription', params: { path } })
const limited = async (webSocket: NonNullable<TestAgentOptions['limits']>['webSocket']) =>
  startTestAgent({ limits: { webSocket } })

/** Somebody else, on a connection of their own. */
async function expectHealthy(agent: TestAgent): Promise<void> {
  await using connection = await connect(agent, { sub: 'agent-bob-v1', client_id: 'agent-bob-v1' })
  expect(await connection.message(0)).toMatchObject({ result: { data: {} } })
}

test('a flood of messages closes the socket with 4429', async () => {
  await using agent = await limited({ maxMessagesPerSecond: 5 })
  await using mallory = await connect(agent)

  for (let at = 0; at < 50; at += 1) mallory.send({ id: at, method: 'subscription.stop' })

  expect(await mallory.closed).toBe(4429)
  await expectHealthy(agent)
})

test('a flood in one batch counts each of its messages', async () => {
  await using agent = await limited({ maxMessagesPerSecond: 5 })
  await using mallory = await connect(agent)

  mallory.send(Array.from({ length: 50 }, (_, id) => ({ id, method: 'subscription.stop' })))

  expect(await mallory.closed).toBe(4429)
  await expectHealthy(agent)
})

test('JSON that is nested too deeply is answered as what it is, and read by nobody', async () => {
  await using agent = await startTestAgent()
  await using mallory = await connect(agent)
  await mallory.message(0)
  const nested = '['.repeat(100_000) + ']'.repeat(100_000)

  mallory.send(`{"id":1,"method":"query","params":{"path":"echo","input":${nested}}}`)

  expect(await mallory.message(1)).toMatchObject({
    error: {
      message: 'JSON is nested deeper than 64 levels',
      data: { reason: 'parse_error', httpStatus: 400 },
    },
  })
  mallory.send(query(2, 'echo', { text: '[[[['.repeat(100) }))
  expect(await mallory.message(2)).toMatchObject({ id: 2, result: {} })
  await expectHealthy(agent)
})

test('subscriptions beyond the limit of a connection are refused, and one that ends makes room', async () => {
  await using agent = await limited({ maxSubscriptions: 2 })
  await using mallory = await connect(agent)
  await mallory.message(0)

  mallory.send([1, 2, 3].map((id) => subscribe(id, 'ticks')))
  await mallory.message(3)
  mallory.send({ id: 1, method: 'subscription.stop' })
  await mallory.message(4)
  mallory.send(subscribe(4, 'ticks'))
  await mallory.message(5)

  expect(mallory.messages.slice(1)).toMatchObject([
    { id: 3, error: { data: { reason: 'too_many_streams', httpStatus: 429 } } },
    { id: 1, result: { type: 'started' } },
    { id: 2, result: { type: 'started' } },
    { id: 1, result: { type: 'stopped' } },
    { id: 4, result: { type: 'started' } },
  ])
  await expectHealthy(agent)
})

test('calls beyond the limit of a connection are refused', async () => {
  await using agent = await limited({ maxCallsUnderWay: 2 })
  await using mallory = await connect(agent)
  await mallory.message(0)

  mallory.send([1, 2, 3].map((id) => ({ id, method: 'mutation', params: { path: 'hold' } })))

  expect(await mallory.message(1)).toMatchObject({
    id: 3,
    error: { data: { reason: 'too_many_calls', httpStatus: 429 } },
  })
  await expectHealthy(agent)
})

test('connections beyond the limit of an agent are closed with 4430, and one that ends makes room', async () => {
  await using agent = await limited({ maxConnectionsPerAgent: 1 })
  const first = await connect(agent)
  await first.message(0)

  await using second = await connect(agent)
  expect(await second.closed).toBe(4430)
  await first[Symbol.asyncDispose]()
  await nextTurn()

  await using third = await connect(agent)
  expect(await third.message(0)).toMatchObject({ result: {} })
  await expectHealthy(agent)
})

test('connections beyond the limit of all are refused at the handshake', async () => {
  await using agent = await limited({ maxConnections: 1 })
  await using first = await connect(agent)
  await first.message(0)

  await expect(connect(agent)).rejects.toThrow('503')

  first.send(query(1, 'whoAmI'))
  expect(await first.message(1)).toMatchObject({ result: {} })
})

test('a socket that never says who it is is closed with 4401', async () => {
  await using agent = await limited({ authenticateWithinMs: 20 })
  const url = `ws://127.0.0.1:${String(agent.port)}/trpc`
  await using silent = await openWebSocket(`${url}?connectionParams=1`)
  await using nobody = await openWebSocket(url)
  await using liar = await openWebSocket(url, bearer('not-a-token'))
  nobody.send({ id: 1, method: 'query', params: { path: 'whoAmI' } })

  expect(await Promise.all([silent.closed, nobody.closed, liar.closed])).toEqual([4401, 4401, 4401])
  expect(nobody.messages).toMatchObject([{ error: { data: { reason: 'credentials_missing' } } }])
  await expectHealthy(agent)
})

test('a peer that does not answer pings is cut, one that does stays', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  await using agent = await limited({ pingEveryMs: 1000 })
  await using dead = await connect(agent)
  await using alive = await connect(agent)
  await Promise.all([dead.message(0), alive.message(0)])
  dead.socket.pause()
  const ponged = new Promise((resolve) => alive.socket.once('ping', resolve))

  vi.advanceTimersByTime(1000)
  await ponged
  alive.send(query(1, 'whoAmI'))
  await alive.message(1)
  vi.advanceTimersByTime(1000)
  dead.socket.resume()

  expect(await dead.closed).toBe(1006)
  alive.send(query(2, 'whoAmI'))
  expect(await alive.message(2)).toMatchObject({ id: 2 })
})

test('a connection on which nothing happens is closed with 4408, one with a subscription stays', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  await using agent = await limited({ pingEveryMs: 1000, idleTimeoutMs: 0.001 })
  await using idle = await connect(agent)
  await using subscriber = await connect(agent)
  subscriber.send(subscribe(1, 'ticks'))
  await Promise.all([idle.message(0), subscriber.message(1)])

  vi.advanceTimersByTime(1000)

  expect(await idle.closed).toBe(4408)
  agent.ticker.tickTo(1)
  expect(await subscriber.message(2)).toMatchObject({ id: 1, result: { id: '1' } })
})

test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then', 'echo.__proto__'])(
  'a call of %s is a call of nothing, and leaves nothing behind',
  async (path) => {
    await using agent = await startTestAgent()
    await using mallory = await connect(agent)
    await mallory.message(0)

    mallory.send(
      `{"id":1,"method":"query","params":{"path":${JSON.stringify(path)},"input":{"__proto__":{"polluted":1}},"lastEventId":"1","__proto__":{"polluted":1}}}`,
    )

    expect(await mallory.message(1)).toMatchObject({ error: { data: { reason: 'not_found' } } })
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
    await expectHealthy(agent)
  },
)

test('a subscriber who does not read is not produced for, and holds few bytes', async () => {
  await using agent = await limited({ highWaterMarkBytes: 64 * 1024 })
  await using mallory = await connect(agent)
  await mallory.message(0)
  mallory.socket.pause()

  mallory.send([1, 2, 3].map((id) => subscribe(id, 'flood')))
  // Until the kernel's buffers are full: from then on nothing moves.
  let before = -1
  for (let still = 0; still < 50;) {
    await nextTurn()
    still = agent.ticker.produced === before && before > 0 ? still + 1 : 0
    before = agent.ticker.produced
  }
  const memory = process.memoryUsage().heapUsed + process.memoryUsage().external
  for (let turn = 0; turn < 200; turn += 1) await nextTurn()

  expect(agent.ticker.produced).toBe(before)
  expect(process.memoryUsage().heapUsed + process.memoryUsage().external - memory).toBeLessThan(
    8 * 1024 * 1024,
  )
  await expectHealthy(agent)

  mallory.socket.resume()
  while (agent.ticker.produced === before) await nextTurn()
})

test.each([0, -1, Number.NaN])('a limit of %d is refused when the agent is made', async (value) => {
  await expect(limited({ maxSubscriptions: value })).rejects.toThrow(
    'limits.webSocket.maxSubscriptions must be above 0',
  )
})
