// WebSockets that flood, that send what is no message, or that only take up room. What one connection may do is tested
// beside the code (packages/serve/src/web-socket); here is what it leaves behind.
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { WebSocket } from 'ws'
import { bearer } from '../support/call-trpc.ts'
import { openWebSocket } from '../support/raw-socket.ts'
import type { TestAgent } from '../support/test-agent.ts'
import { countSockets, expectHarmless, until } from './attack.ts'
import { openRaw, toRequest } from './raw-http.ts'

const query = (id: number, path: string, input?: unknown) => ({
  id,
  method: 'query',
  params: { path, input },
})

async function connect({ port, token }: Pick<TestAgent, 'port' | 'token'>) {
  return openWebSocket(`ws://127.0.0.1:${String(port)}/trpc`, bearer(await token()))
}

const HANDSHAKE = {
  connection: 'upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': randomBytes(16).toString('base64'),
}

/** A connection on which frames are written byte by byte. */
async function shakeHands(port: number, headers: Record<string, string> = {}) {
  const raw = await openRaw(port, toRequest('/trpc', { ...HANDSHAKE, ...headers }))
  await raw.until('101 Switching Protocols')
  return raw
}

/** A masked frame (RFC 6455 §5.2) of up to 125 bytes. */
function toFrame(firstByte: number, payload = ''): Buffer {
  const mask = Buffer.alloc(4)
  return Buffer.concat([
    Buffer.from([firstByte, 0x80 | payload.length]),
    mask,
    Buffer.from(payload),
  ])
}

/** The code of a close frame at the end of what came. */
function readCloseCode(text: string): number {
  const at = text.lastIndexOf('\u0088')
  return Buffer.from(text.slice(at + 2, at + 4), 'latin1').readUInt16BE()
}

test.each([
  ['messages', (socket: WebSocket) => socket.send('{"id":1,"method":"subscription.stop"}')],
  ['what is no JSON', (socket: WebSocket) => socket.send('x')],
  ['binary', (socket: WebSocket) => socket.send(Buffer.alloc(10))],
  ['empty batches', (socket: WebSocket) => socket.send('[]')],
  ['pongs', (socket: WebSocket) => socket.pong()],
  ['words of tRPC’s own', (socket: WebSocket) => socket.send('PING')],
])(
  'a flood of %s from ten connections at once closes all of them with 4429',
  async (_what, send) => {
    await expectHarmless({ webSocket: { maxMessagesPerSecond: 50 } }, async (agent) => {
      const mallory = await Promise.all(Array.from({ length: 10 }, async () => connect(agent)))

      for (let at = 0; at < 500; at += 1) for (const { socket } of mallory) send(socket)

      const codes = await Promise.all(mallory.map(async ({ closed }) => closed))
      expect(new Set(codes)).toEqual(new Set([4429]))
    })
  },
)

test('a flood of pings closes the connection, or is cut by `ws` for the answers that it owes', async () => {
  await expectHarmless({ webSocket: { maxMessagesPerSecond: 50 } }, async (agent) => {
    const mallory = await connect(agent)

    for (let at = 0; at < 500; at += 1) mallory.socket.ping('x'.repeat(125))

    expect([4429, 1006]).toContain(await mallory.closed)
  })
})

test('pings that nobody reads the answers of do not pile up', async () => {
  await expectHarmless({ webSocket: { maxMessagesPerSecond: 1e9 } }, async (agent) => {
    const mallory = await connect(agent)
    mallory.socket.pause()
    const pings = Buffer.concat(
      Array.from({ length: 10_000 }, () => toFrame(0x89, 'x'.repeat(125))),
    )
    const stream: unknown = Reflect.get(mallory.socket, '_socket')
    for (let at = 0; at < 10; at += 1) (stream as { write(bytes: Buffer): void }).write(pings)

    // The agent gives up on it.
    await until(() => countSockets() <= 1)
    mallory.socket.terminate()
    await mallory.closed
  })
})

test.each([
  ['a frame that is not masked', Buffer.from([0x81, 0x01, 0x78]), 1002],
  ['reserved bits', Buffer.from([0xf1, 0x80, 0, 0, 0, 0]), 1002],
  ['an unknown opcode', toFrame(0x83), 1002],
  ['the end of a message that did not begin', toFrame(0x80, 'x'), 1002],
  ['a message within another', Buffer.concat([toFrame(0x01, 'x'), toFrame(0x81, 'x')]), 1002],
  ['a ping in pieces', toFrame(0x09, 'x'), 1002],
  ['text that is no UTF-8', Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]), 1007],
  [
    'a length that no number holds',
    Buffer.from([0x81, 0xff, ...Array<number>(8).fill(0xff)]),
    1009,
  ],
  ['a length over the limit', Buffer.from([0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), 1009],
  [
    'an empty piece, thousands of times',
    Buffer.concat([toFrame(0x01), ...Array.from({ length: 5000 }, () => toFrame(0x00))]),
    1008,
  ],
  [
    'a piece of a byte, thousands of times',
    Buffer.concat([toFrame(0x01, 'x'), ...Array.from({ length: 5000 }, () => toFrame(0x00, 'x'))]),
    1008,
  ],
])('%s closes the connection', async (_what, bytes, code) => {
  await expectHarmless({}, async (agent) => {
    await using mallory = await shakeHands(agent.port, bearer(await agent.token()))

    mallory.write(bytes)

    expect(readCloseCode(await mallory.closed)).toBe(code)
  })
})

test('compression is not agreed to, so that nothing small becomes large', async () => {
  // Attack: a message of a few KiB that unfolds to gigabytes.
  await expectHarmless({}, async (agent) => {
    const offer = { 'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits' }
    await using mallory = await shakeHands(agent.port, { ...bearer(await agent.token()), ...offer })
    expect(mallory.text.toLowerCase()).not.toContain('sec-websocket-extensions')

    // The bit that says that a message is compressed.
    mallory.write(toFrame(0xc1, 'x'))

    expect(readCloseCode(await mallory.closed)).toBe(1002)
  })
})

test.each([
  ['of nothing but brackets', '['.repeat(200_000)],
  ['of ids', JSON.stringify(Array.from({ length: 50_000 }, (_, id) => ({ id })))],
  ['of calls', JSON.stringify(Array.from({ length: 5000 }, (_, id) => query(id, 'whoAmI')))],
])('a large message %s is not carried out', async (_what, message) => {
  await expectHarmless({}, async (agent) => {
    const mallory = await connect(agent)

    mallory.send(message)
    await Promise.race([mallory.message(0), mallory.closed])

    expect(mallory.messages.length).toBeLessThan(2)
    expect(JSON.stringify(mallory.messages)).not.toContain('"result"')
    await mallory[Symbol.asyncDispose]()
  })
})

test('subscriptions that nobody reads end with their connection', async () => {
  const webSocket = { highWaterMarkBytes: 64 * 1024, slowReaderTimeoutMs: 50 }
  await expectHarmless({ webSocket }, async (agent) => {
    const mallory = await connect(agent)
    mallory.socket.pause()
    for (let id = 0; id < 20; id += 1) {
      mallory.send({ id, method: 'subscription', params: { path: 'flood' } })
    }

    await until(() => countSockets() <= 1)
    mallory.socket.terminate()
    await mallory.closed
  })
})

test('connections that are nobody’s make room again', async () => {
  // Time enough for a busy machine to have all of them open at once.
  const webSocket = { authenticateWithinMs: 2000, maxConnections: 10 }
  await expectHarmless({ webSocket }, async (agent) => {
    const url = `ws://127.0.0.1:${String(agent.port)}/trpc?connectionParams=1`
    const silent = await Promise.all(Array.from({ length: 10 }, async () => openWebSocket(url)))
    await expect(connect(agent)).rejects.toThrow('503')

    expect(new Set(await Promise.all(silent.map(async ({ closed }) => closed)))).toEqual(
      new Set([4401]),
    )
    const alice = await connect(agent)
    alice.send(query(1, 'whoAmI'))
    expect(await alice.message(0)).toMatchObject({ result: {} })
    await alice[Symbol.asyncDispose]()
  })
})

test('a handshake that is refused is closed by the agent, whatever its peer does', async () => {
  await expectHarmless({ keepAliveTimeoutMs: 1 }, async ({ port }) => {
    const requests = [
      toRequest('/nowhere', HANDSHAKE),
      toRequest('/trpc', { ...HANDSHAKE, 'sec-websocket-version': '1' }),
      toRequest('/trpc', { ...HANDSHAKE, 'sec-websocket-key': 'short' }),
      toRequest('/trpc', HANDSHAKE, { method: 'POST' }),
    ]
    for (const request of requests) {
      await using mallory = await openRaw(port, request)

      expect(await mallory.closed).toMatch(/^HTTP\/1\.1 4\d\d /)
    }
  })
})

test('peers that are cut off in the middle of a message leave nothing behind', async () => {
  await expectHarmless({}, async (agent) => {
    const headers = bearer(await agent.token())
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const mallory = await shakeHands(agent.port, headers)
        mallory.write(Buffer.from([0x81, 0xfe, 0x40, 0x00, 0, 0, 0, 0, 0x7b]))
        mallory.write('x'.repeat(1000))
        mallory.socket.resetAndDestroy()
        await mallory.closed
      }),
    )
  })
})
