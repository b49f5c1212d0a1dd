import { once } from 'node:events'
import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { AgentWebSocket } from './agent-web-socket.ts'
import { createOutbox } from './outbox.ts'

/** A server that answers each text at the end of the turn, and a client of it. */
async function connect() {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    maxPayload: 100,
    WebSocket: AgentWebSocket,
  })
  await once(server, 'listening')
  const served = Promise.withResolvers<AgentWebSocket>()
  server.once('connection', (socket, { socket: stream }) => {
    const limits = { highWaterMarkBytes: 100_000, slowReaderTimeoutMs: 1000 }
    const outbox = createOutbox({ socket, stream }, limits)
    socket.on('error', () => undefined)
    socket.on('message', (data: Buffer) => {
      outbox.send(`answer to ${data.toString()}`)
    })
    served.resolve(socket)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const client = new WebSocket(`ws://127.0.0.1:${String(port)}`)
  const heard: string[] = []
  client.on('message', (data: Buffer) => heard.push(data.toString()))
  client.on('close', (code) => heard.push(`closed with ${String(code)}`))
  await once(client, 'open')
  return {
    client,
    heard,
    served: await served.promise,
    [Symbol.dispose]() {
      client.terminate()
      server.close()
    },
  }
}

test('a peer that asks and closes in one breath is answered before the close', async () => {
  using connection = await connect()
  const { client, heard } = connection

  client.send('one')
  client.close(1000)
  await once(client, 'close')

  expect(heard).toEqual(['answer to one', 'closed with 1000'])
})

test('what was said in the turn in which the agent closes leaves before the close', async () => {
  using connection = await connect()
  const { client, heard, served } = connection
  served.once('message', () => {
    served.close(4401, 'revoked')
  })

  client.send('one')
  await once(client, 'close')

  expect(heard).toEqual(['answer to one', 'closed with 4401'])
})

test('a message that is too large does not keep the one before it from its answer', async () => {
  using connection = await connect()
  const { client, heard } = connection

  client.send('one')
  client.send('x'.repeat(101))
  await once(client, 'close')

  expect(heard).toEqual(['answer to one', 'closed with 1009'])
})
