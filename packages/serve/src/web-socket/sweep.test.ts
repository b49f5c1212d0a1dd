import { EventEmitter } from 'node:events'
import { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { agentRouter, type ConnectionContext } from '@deputy/auth/trpc'
import { refuse } from '@deputy/auth/protocol'
import { expect, test } from 'vitest'
import type { WebSocket } from 'ws'
import { serveConnection } from './connection.ts'
import { readAgentLimits } from '../limits/agent-limits.ts'

/** A connection on a socket whose peer reads when the test says so, and says nothing. */
function createConnection() {
  const said: string[] = []
  const flushes: (() => void)[] = []
  const stream = new Duplex({
    decodeStrings: false,
    read: () => undefined,
    write(_chunk, _encoding, done) {
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
    watch: () => () => undefined,
    close: () => undefined,
  } as unknown as ConnectionContext
  const connection = serveConnection(
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the part of a socket that is used
    { socket: socket as unknown as WebSocket, stream },
    { url: '/trpc', headers: {} },
    {
      router: agentRouter({}),
      createContext: () => context,
      limits: readAgentLimits({ webSocket: { highWaterMarkBytes: 100 } }).webSocket,
      maxBatchSize: 10,
      admit: () => () => undefined,
    },
  )
  return {
    said,
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
