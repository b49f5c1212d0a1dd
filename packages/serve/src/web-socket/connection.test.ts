import { EventEmitter } from 'node:events'
import { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { agentRouter, type ConnectionContext } from '@deputy/auth/trpc'
import { REAUTHENTICATE_PATH, refuse } from '@deputy/auth/protocol'
import { expect, test } from 'vitest'
import type { AgentWebSocket } from './agent-web-socket.ts'
import { serveConnection } from './connection.ts'
import { readAgentLimits } from '../limits/agent-limits.ts'
import { createRunCall } from './run-call.ts'

/** A connection on a socket whose peer reads when the test says so, and says nothing. */
function createConnection() {
  const said: string[] = []
  let sent = ''
  const flushes: (() => void)[] = []
  const stream = new Duplex({
    decodeStrings: false,
    read: () => undefined,
    write(chunk, _encoding, done) {
      sent += String(chunk)
      flushes.push(done)
    },
  })
  const socket = Object.assign(new EventEmitter(), {
    OPEN: 1,
    readyState: 1,
    pause: () => undefined,
    resume: () => undefined,
    ping: () => said.push('ping'),
    terminate: () => said.push('terminate'),
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the part of a context that is used before a call
  const context = {
    authenticate: async () => refuse({ reason: 'credentials_missing' }),
    present: () => new Promise(() => undefined),
    watch: () => () => undefined,
    close: () => undefined,
  } as unknown as ConnectionContext
  const router = agentRouter({})
  const connection = serveConnection(
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the part of a socket that is used
    { socket: socket as unknown as AgentWebSocket, stream },
    { url: '/trpc', headers: {} },
    {
      router,
      runCall: createRunCall(router),
      createContext: () => context,
      limits: readAgentLimits({ webSocket: { highWaterMarkBytes: 100 } }).webSocket,
      maxBatchSize: 10,
      admit: () => () => undefined,
    },
  )
  return {
    said,
    sent: () => sent,
    say: (message: unknown) => {
      socket.emit('message', Buffer.from(JSON.stringify(message)), false)
    },
    sweep: () => {
      connection.sweep(performance.now())
    },
    async congest() {
      // Each is answered.
      for (let sent = 0; sent < 20; sent += 1) socket.emit('message', Buffer.from('PING'), false)
      await nextTurn()
    },
    async read() {
      while (stream.writableLength > 0) {
        flushes.shift()?.()
        await nextTurn()
      }
    },
    [Symbol.dispose]: () => socket.emit('close'),
  }
}

test('a peer that answers no ping is cut with the next one', () => {
  using connection = createConnection()

  connection.sweep()
  connection.sweep()

  expect(connection.said).toEqual(['ping', 'terminate'])
})

test('a peer that is slow to read is not taken for one that is gone, until it is silent after that', async () => {
  using connection = createConnection()
  await connection.congest()
  connection.sweep()
  connection.sweep()
  await connection.read()

  connection.sweep()
  const once = [...connection.said]
  connection.sweep()

  expect(once).not.toContain('terminate')
  expect(connection.said.at(-1)).toBe('terminate')
})

test('tokens that are presented faster than they are verified are refused', async () => {
  // Attack: each of them is asked about at the authorization server, and waits for those before it.
  using connection = createConnection()

  for (let id = 1; id <= 20; id += 1) {
    connection.say({ id, method: 'mutation', params: { path: REAUTHENTICATE_PATH, input: {} } })
  }
  await nextTurn()
  await connection.read()

  expect(connection.sent().match(/"reason":"too_many_calls"/g)).toHaveLength(16)
})
