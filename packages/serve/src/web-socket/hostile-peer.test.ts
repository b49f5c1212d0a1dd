// What a peer can do to a connection beside making calls; after each, somebody else is answered.
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { REAUTHENTICATE_PATH } from '@deputy/auth/protocol'
import { expect, test } from 'vitest'
import { bearer, callTrpc } from '../../../../test/support/call-trpc.ts'
import { openWebSocket } from '../../../../test/support/raw-socket.ts'
import {
  startTestAgent,
  type TestAgent,
  type TestAgentOptions,
} from '../../../../test/support/test-agent.ts'

async function connect(agent: TestAgent, claims = {}) {
  const url = `ws://127.0.0.1:${String(agent.port)}/trpc`
  const connection = await openWebSocket(url, bearer(await agent.token(claims)))
  connection.send(query(0, 'whoAmI'))
  await Promise.race([connection.message(0), connection.closed])
  return connection
}
const query = (id: number, path: string, input?: unknown) => ({
  id,
  method: 'query',
  params: { path, input },
})
const limited = async (webSocket: NonNullable<TestAgentOptions['limits']>['webSocket']) =>
  startTestAgent({ limits: { webSocket } })
const countDone = (agent: TestAgent): number =>
  agent.log().filter(({ msg, outcome }) => msg === 'call' && outcome === 'ok').length

async function expectHealthy(agent: TestAgent): Promise<void> {
  await using connection = await connect(agent, { sub: 'agent-bob-v1', client_id: 'agent-bob-v1' })
  expect(connection.messages).toMatchObject([{ result: { data: {} } }])
}

test('batches of nothing are messages like others', async () => {
  // Attack: a batch is counted by its calls, and one without any gave back what its message had cost.
  await using agent = await limited({ maxMessagesPerSecond: 5 })
  await using mallory = await connect(agent)

  for (let at = 0; at < 50; at += 1) mallory.send([])

  expect(await mallory.closed).toBe(4429)
  await expectHealthy(agent)
})

test('a batch that is too large costs as many messages as it has, answered or not', async () => {
  // Attack: amplification. Each id of a few bytes is answered with an error of hundreds.
  await using agent = await limited({ maxMessagesPerSecond: 50 })
  await using mallory = await connect(agent)

  mallory.send(Array.from({ length: 500 }, (_, id) => ({ id })))

  expect(await mallory.closed).toBe(4429)
  expect(mallory.messages).toHaveLength(1)
  await expectHealthy(agent)
})

test.each(['ping', 'pong'] as const)('a flood of %ss closes the socket with 4429', async (kind) => {
  await using agent = await limited({ maxMessagesPerSecond: 5 })
  await using mallory = await connect(agent)

  for (let at = 0; at < 50; at += 1) mallory.socket[kind]('x'.repeat(125))

  expect(await mallory.closed).toBe(4429)
  await expectHealthy(agent)
})

test('a message in very many pieces closes the socket with 1008', async () => {
  // Attack: pieces of one byte each, of which every one takes a hundred in memory.
  await using agent = await startTestAgent()
  await using mallory = await connect(agent)

  for (let at = 0; at < 2000; at += 1) mallory.socket.send('x', { fin: false })

  expect(await mallory.closed).toBe(1008)
  await expectHealthy(agent)
})

test('what comes on a connection that is closed for its agent has too many is not carried out', async () => {
  // Attack: a connection beyond the limit that goes on calling until its peer answers the close.
  await using agent = await limited({ maxConnectionsPerAgent: 1 })
  await using first = await connect(agent)
  const url = `ws://127.0.0.1:${String(agent.port)}/trpc`
  await using second = await openWebSocket(url, bearer(await agent.token()))

  // Whichever is first, these or the close: `connection.test.ts` has both.
  for (let id = 1; id <= 5; id += 1) second.send(query(id, 'whoAmI'))

  expect(await second.closed).toBe(4430)
  expect(countDone(agent)).toBe(first.messages.length)
  await expectHealthy(agent)
})

test('nor what comes behind a token that is presented on one too many', async () => {
  // Attack: the same, by connections that say who they are only with their calls.
  await using agent = await limited({ maxConnectionsPerAgent: 1 })
  await using first = await connect(agent)
  await using second = await openWebSocket(`ws://127.0.0.1:${String(agent.port)}/trpc`, {})

  const token = bearer(await agent.token())
  second.send({ ...query(1, REAUTHENTICATE_PATH, token), method: 'mutation' })
  for (let id = 2; id <= 5; id += 1) second.send(query(id, 'whoAmI'))

  expect(await second.closed).toBe(4430)
  expect(countDone(agent)).toBe(first.messages.length)
  await expectHealthy(agent)
})

test('a first message larger than credentials are, or nested, closes the socket with 4401', async () => {
  await using agent = await startTestAgent()
  const url = `ws://127.0.0.1:${String(agent.port)}/trpc?connectionParams=1`
  await using large = await openWebSocket(url)
  await using nested = await openWebSocket(url)
  const data = bearer(await agent.token())

  large.send({ method: 'connectionParams', data: { ...data, padding: 'x'.repeat(20_000) } })
  nested.send({
    method: 'connectionParams',
    data,
    nested: JSON.parse('['.repeat(100) + ']'.repeat(100)),
  })

  expect(await Promise.all([large.closed, nested.closed])).toEqual([4401, 4401])
  await expectHealthy(agent)
})

test('a stream that is always ready leaves the others their turn', async () => {
  // Attack: no value of it waits for anything, so that nobody else would run until its reader is slow.
  await using agent = await limited({ highWaterMarkBytes: 64 * 1024 * 1024 })
  await using mallory = await connect(agent)
  mallory.send({ id: 1, method: 'subscription', params: { path: 'flood' } })

  while (agent.ticker.produced === 0) await nextTurn()

  expect(agent.ticker.produced).toBeLessThan(100)
  await expectHealthy(agent)
})

test('a handshake that was refused is cut off, also when its peer keeps its half open', async () => {
  // Attack: sockets that were answered, and that nobody closes.
  await using agent = await startTestAgent()
  const socket = connectTcp({ port: agent.port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  socket.write(
    'GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  )
  const [answer]: unknown[] = await once(socket, 'data')

  await agent.close()

  expect(String(answer)).toMatch(/^HTTP\/1\.1 404 /)
  socket.destroy()
})

test('an offer of HTTP/2 does not keep a call from being answered', async () => {
  // > A server MAY ignore a received Upgrade header field (RFC 9110 §7.8). Java's client sends one with each call.
  await using agent = await startTestAgent()
  const socket = connectTcp(agent.port, '127.0.0.1')
  socket.write(
    `GET /trpc/whoAmI HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${await agent.token()}\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n`,
  )
  const [answer]: unknown[] = await once(socket, 'data')
  socket.destroy()

  expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /)
  expect((await callTrpc(agent.url, 'whoAmI')).status).toBe(401)
})
