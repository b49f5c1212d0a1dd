import { describe, expect, test } from 'vitest'
import { bearer, callTrpc } from '../../../../test/support/call-trpc.ts'
import { exchangeBytes, openWebSocket } from '../../../../test/support/raw-socket.ts'
import { startTestAgent, type TestAgent } from '../../../../test/support/test-agent.ts'

const call = (id: number, path: string, input?: unknown) => ({
  id,
  jsonrpc: '2.0',
  method: 'query',
  params: { path, input },
})
const toWebSocketUrl = ({ port }: TestAgent, path: string): string =>
  `ws://127.0.0.1:${String(port)}${path}`

/** Opens a connection that sends its credentials first, as tRPC's client does. */
async function connect(agent: TestAgent, credentials: Record<string, string>) {
  const connection = await openWebSocket(toWebSocketUrl(agent, '/trpc?connectionParams=1'))
  connection.send({ method: 'connectionParams', data: credentials })
  return connection
}

describe('a connection', () => {
  test('is authorized by its first message', async () => {
    await using agent = await startTestAgent()
    await using connection = await connect(agent, bearer(await agent.token()))

    connection.send(call(1, 'echo', { text: 'hello' }))

    expect(await connection.message(0)).toMatchObject({ id: 1, result: { data: 'hello' } })
  })

  test('is authorized by the headers of its handshake where it sends no credentials', async () => {
    await using agent = await startTestAgent()
    const headers = bearer(await agent.token())
    await using connection = await openWebSocket(toWebSocketUrl(agent, '/trpc'), headers)

    connection.send(call(1, 'echo', { text: 'hello' }))

    expect(await connection.message(0)).toMatchObject({ id: 1, result: { data: 'hello' } })
  })

  test('cannot make good for empty credentials by the headers of its handshake', async () => {
    // Attack: a page in a browser rides on what the browser attaches to the handshake by itself.
    await using agent = await startTestAgent()
    const url = toWebSocketUrl(agent, '/trpc?connectionParams=1')
    await using connection = await openWebSocket(url, bearer(await agent.token()))
    connection.send({ method: 'connectionParams', data: {} })

    connection.send(call(1, 'whoAmI'))

    expect(await connection.message(0)).toMatchObject({
      error: { data: { reason: 'credentials_missing' } },
    })
  })

  test('gets the same refusals as HTTP, without a stack', async () => {
    await using agent = await startTestAgent()
    await using connection = await connect(agent, bearer(await agent.token()))

    connection.send(call(1, 'fail'))
    await connection.message(0)
    connection.send(call(2, 'constructor'))

    expect(await connection.message(0)).toMatchObject({ error: { data: { httpStatus: 500 } } })
    expect(await connection.message(1)).toMatchObject({ error: { data: { reason: 'not_found' } } })
    expect(JSON.stringify(connection.messages)).not.toMatch(/hunter2|stack|\.ts:/)
  })

  test('is refused from the second its token ends', async () => {
    await using agent = await startTestAgent()
    await using connection = await connect(agent, bearer(await agent.token()))

    agent.clock.advance(899)
    connection.send(call(1, 'echo', { text: 'last' }))
    await connection.message(0)
    agent.clock.advance(1)

    expect(await connection.closed).toBe(4401)
    expect(connection.messages).toMatchObject([{ id: 1, result: { data: 'last' } }])
  })

  test('is refused from the next call after its API key was turned off', async () => {
    await using agent = await startTestAgent()
    await using connection = await connect(agent, { 'x-api-key': agent.apiKey.value })
    connection.send(call(1, 'echo', { text: 'last' }))
    await connection.message(0)

    agent.apiKey.isActive = false
    connection.send(call(2, 'echo', { text: 'too late' }))

    expect(await connection.message(1)).toMatchObject({
      id: 2,
      error: { data: { reason: 'api_key_invalid' } },
    })
  })
})

describe('a handshake', () => {
  const upgrade = (path: string): string =>
    [
      `GET ${path} HTTP/1.1`,
      'host: x',
      'connection: upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
      '\r\n',
    ].join('\r\n')

  test.each(['/', '/trpcx', '/livez', '/trpc/whoAmI', '//'])(
    'anywhere else than at /trpc is refused: %s',
    async (path) => {
      await using agent = await startTestAgent()

      const answer = await exchangeBytes(agent.port, upgrade(path))

      expect(answer).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/)
    },
  )

  test('that is not one of WebSocket is refused, and the next one works', async () => {
    await using agent = await startTestAgent()

    const answer = await exchangeBytes(
      agent.port,
      'GET /trpc HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    )

    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    await using connection = await connect(agent, bearer(await agent.token()))
    expect(connection.socket.readyState).toBe(connection.socket.OPEN)
  })
})

describe('what is no call', () => {
  test.each([
    ['text that is not JSON', 'hello'],
    ['JSON that is no request', '{"id":1}'],
    ['a number', '42'],
    ['null', 'null'],
    ['an unknown method', '{"id":1,"method":"__proto__","params":{"path":"whoAmI"}}'],
    ['a path that is no text', '{"id":1,"method":"query","params":{"path":{}}}'],
    ['a batch of nonsense', '[[],null,7]'],
  ])('harms nobody: %s', async (_what, message) => {
    await using agent = await startTestAgent()
    await using connection = await connect(agent, bearer(await agent.token()))
    connection.send(message)
    await Promise.race([connection.message(0), connection.closed])

    await using next = await connect(agent, bearer(await agent.token()))
    next.send(call(1, 'echo', { text: 'still here' }))

    expect(await next.message(0)).toMatchObject({ result: { data: 'still here' } })
    expect(JSON.stringify(connection.messages)).not.toMatch(/"result"|stack|\.ts:/)
  })

  test('closes the socket that sent a message over the limit, and no other', async () => {
    await using agent = await startTestAgent({ limits: { maxBodyBytes: 1000 } })
    await using mallory = await connect(agent, bearer(await agent.token()))
    await using alice = await connect(agent, bearer(await agent.token()))

    mallory.send(call(1, 'echo', { text: 'x'.repeat(2000) }))

    // RFC 6455 §7.4.1: 1009, message too big.
    expect(await mallory.closed).toBe(1009)
    alice.send(call(1, 'echo', { text: 'still here' }))
    expect(await alice.message(0)).toMatchObject({ result: { data: 'still here' } })
    expect((await callTrpc(agent.url, 'whoAmI')).status).toBe(401)
  })

  test('closes the socket that sent bytes that are no frame, and no other', async () => {
    await using agent = await startTestAgent()
    await using mallory = await connect(agent, bearer(await agent.token()))
    await using alice = await connect(agent, bearer(await agent.token()))

    // Reserved bits and opcode set, under the hood of a connection that was good until now.
    const stream: unknown = Reflect.get(mallory.socket, '_socket')
    ;(stream as { write(bytes: Uint8Array): void }).write(new Uint8Array([0xff, 0xff, 0, 1, 2, 3]))

    expect(await mallory.closed).not.toBe(1000)
    alice.send(call(1, 'echo', { text: 'still here' }))
    expect(await alice.message(0)).toMatchObject({ result: { data: 'still here' } })
  })

  test('refuses a batch over the limit', async () => {
    await using agent = await startTestAgent({ limits: { maxBatchSize: 2 } })
    await using connection = await connect(agent, bearer(await agent.token()))

    connection.send([1, 2, 3].map((id) => call(id, 'whoAmI')))
    await connection.message(0)

    expect(JSON.stringify(connection.messages)).not.toContain('"result"')
    expect(agent.log().filter((line) => line['msg'] === 'call')).toEqual([])
  })
})
