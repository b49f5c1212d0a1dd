import { EventEmitter } from 'node:events'
import { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { agentRouter, scopedProcedure, type ConnectionContext } from '@deputy/auth/trpc'
import { accept, REAUTHENTICATE_PATH, refuse } from '@deputy/auth/protocol'
import { expect, test } from 'vitest'
import { createAlice } from '../../../../test/support/alice.ts'
import type { AgentWebSocket } from './agent-web-socket.ts'
import { serveConnection } from './connection.ts'
import { readAgentLimits } from '../limits/agent-limits.ts'
import { createRunCall } from './run-call.ts'

const alice = createAlice({ expiresAt: undefined })

type Who = Awaited<ReturnType<ConnectionContext['authenticate']>>

type Settings = {
  /** Who is there. Default: somebody without credentials. */
  readonly who?: Promise<Who>
  /** Whether the agent takes another connection of the caller. Default: yes. */
  readonly isAdmitted?: boolean
}

/** A connection on a socket whose peer reads when the test says so, and says nothing. */
function createConnection({ isAdmitted = true, who }: Settings = {}) {
  let done = 0
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
    close(code: number) {
      said.push(String(code))
      socket.readyState = 2
    },
    terminate: () => said.push('terminate'),
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the part of a context that is used before a call
  const context = {
    authenticate: async () => who ?? refuse({ reason: 'credentials_missing' }),
    limit: async () => accept(undefined),
    present: () => new Promise(() => undefined),
    watch: () => () => undefined,
    close: () => undefined,
  } as unknown as ConnectionContext
  const router = agentRouter({
    work: scopedProcedure('billing:read').query(() => {
      done += 1
      return 'done'
    }),
  })
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
      admit: () => (isAdmitted ? () => undefined : undefined),
    },
  )
  return {
    said,
    countDone: () => done,
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

const call = (id: number) => ({ id, method: 'query', params: { path: 'work' } })

test.each([
  ['not begun where the agent has too many', false, 0],
  ['carried out where it is admitted', true, 5],
])(
  'calls that come before it is known whose the connection is are %s',
  async (_, isAdmitted, done) => {
    // Attack: connections beyond the limit, each with calls that are sent while its token is still being verified.
    const who = Promise.withResolvers<Who>()
    using connection = createConnection({ who: who.promise, isAdmitted })
    for (let id = 1; id <= 5; id += 1) connection.say(call(id))

    who.resolve(accept(alice))
    await nextTurn()
    await connection.read()

    expect(connection.countDone()).toBe(done)
    expect(connection.said).toEqual(isAdmitted ? [] : ['4430'])
  },
)

test('calls that come behind the close are not begun', async () => {
  using connection = createConnection({ who: Promise.resolve(accept(alice)), isAdmitted: false })
  await nextTurn()

  connection.say(call(1))
  await nextTurn()

  expect(connection.said).toEqual(['4430'])
  expect(connection.countDone()).toBe(0)
})
