import { EventEmitter } from 'node:events'
import { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { AgentWebSocket } from './agent-web-socket.ts'
import { createOutbox } from './outbox.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => vi.useRealTimers())

/** A socket whose peer reads when the test says so. */
function createSocket(changed: { readonly highWaterMarkBytes?: number } = {}) {
  const said: string[] = []
  const written: Buffer[] = []
  const socket = Object.assign(new EventEmitter(), {
    OPEN: 1,
    readyState: 1,
    pause: () => said.push('pause'),
    resume: () => said.push('resume'),
    close: (code: number) => said.push(`close ${String(code)}`),
    terminate: () => said.push('terminate'),
  })
  const flushes: (() => void)[] = []
  const stream = new Duplex({
    decodeStrings: false,
    read: () => undefined,
    write(chunk: string | Buffer, encoding, done) {
      written.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk)
      flushes.push(done)
    },
    writev(chunks, done) {
      for (const { chunk, encoding } of chunks) written.push(Buffer.from(chunk as string, encoding))
      flushes.push(done)
    },
  })
  const limits = { highWaterMarkBytes: 100_000, slowReaderTimeoutMs: 1000, ...changed }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the part of a socket that an outbox uses
  const outbox = createOutbox({ socket: socket as unknown as AgentWebSocket, stream }, limits)
  return { outbox, socket, said, written, read: () => flushes.shift()?.() }
}

test('below the high-water mark nothing waits', async () => {
  const { outbox, said } = createSocket()

  outbox.send('x'.repeat(90_000))
  await outbox.whenClear()

  expect([outbox.isCongested, said]).toEqual([false, []])
})

test('above it nothing is read or produced, until half of it is gone', async () => {
  const { outbox, read, said } = createSocket()
  outbox.send('x'.repeat(60_000))
  outbox.send('x'.repeat(60_000))
  const cleared = outbox.whenClear()
  read()
  await nextTurn()
  const before = [outbox.isCongested, [...said]]

  read()
  await cleared

  expect(before).toEqual([true, ['pause']])
  expect([outbox.isCongested, said]).toEqual([false, ['pause', 'resume']])
})

test('a peer that reads too slowly for too long is closed with 1013, and cut when it does not answer', () => {
  const { outbox, said } = createSocket()
  outbox.send('x'.repeat(100_001))

  vi.advanceTimersByTime(999)
  const before = [...said]
  vi.advanceTimersByTime(1)
  const closed = said.slice(before.length)
  vi.advanceTimersByTime(1000)

  expect(before).toEqual(['pause'])
  expect(closed).toEqual(['resume', 'close 1013'])
  expect(said.at(-1)).toBe('terminate')
})

test('whoever waits is let go when the socket is closed', async () => {
  const { outbox, socket } = createSocket()
  outbox.send('x'.repeat(100_001))
  const cleared = outbox.whenClear()

  socket.readyState = 3
  outbox.close()
  await cleared

  expect([outbox.isOpen, outbox.isCongested]).toEqual([false, false])
})

test('small texts of one turn leave in one write', async () => {
  const { outbox, written } = createSocket()

  outbox.send('one')
  outbox.send('two')
  const before = written.length
  await nextTurn()

  expect([before, written.map(String)]).toEqual([0, [expect.stringMatching(/one.*two/s)]])
})

test('what all connections say in one turn leaves at its end, each connection’s in one write', async () => {
  const [first, second] = [createSocket(), createSocket()]

  first.outbox.send('one')
  await Promise.resolve()
  second.outbox.send('two')
  await Promise.resolve()
  first.outbox.send('three')
  const before = first.written.length + second.written.length
  await nextTurn()

  expect(before).toBe(0)
  expect(first.written.map(String)).toEqual([expect.stringMatching(/one.*three/s)])
  expect(second.written.map(String)).toEqual([expect.stringContaining('two')])
})

test('nothing follows a close', async () => {
  const { outbox, socket, written } = createSocket()
  outbox.send('too late')

  socket.readyState = 2
  await nextTurn()

  expect(written).toEqual([])
})

test('no more waits for the end of the turn than a peer may leave unread', () => {
  const { outbox } = createSocket({ highWaterMarkBytes: 50 })

  for (let sent = 0; sent < 20 && !outbox.isCongested; sent += 1) outbox.send('0123456789')

  expect(outbox.isCongested).toBe(true)
})

test('texts of any kind and size leave in their order', async () => {
  const { outbox, read, written } = createSocket()
  const texts = [
    'one',
    'zwölf',
    'x'.repeat(20_000),
    'three',
    'y'.repeat(10_000),
    'z'.repeat(10_000),
  ]

  for (const text of texts) outbox.send(text)
  for (let turn = 0; turn < 10; turn += 1) {
    await nextTurn()
    read()
  }

  const all = Buffer.concat(written).toString('utf8')
  expect(texts.map((text) => all.indexOf(text))).toEqual(
    texts.map((text) => all.indexOf(text)).toSorted((a, b) => a - b),
  )
  expect(texts.every((text) => all.includes(text))).toBe(true)
})

test('what was sent is written when it is to be', () => {
  const { outbox, written } = createSocket()
  outbox.send('last words')

  outbox.flush()

  expect(written.map(String)).toEqual([expect.stringContaining('last words')])
})
