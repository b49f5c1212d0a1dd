import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { WebSocket } from 'ws'
import { createOutbox } from './outbox.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** A socket whose peer reads when the test says so. */
function createSocket() {
  const flushes: (() => void)[] = []
  const said: string[] = []
  const socket = Object.assign(new EventEmitter(), {
    OPEN: 1,
    readyState: 1,
    bufferedAmount: 0,
    send(text: string, onFlushed: () => void) {
      socket.bufferedAmount += text.length
      flushes.push(() => {
        socket.bufferedAmount -= text.length
        onFlushed()
      })
    },
    pause: () => said.push('pause'),
    resume: () => said.push('resume'),
    close: (code: number) => said.push(`close ${String(code)}`),
    terminate: () => said.push('terminate'),
  })
  const limits = { highWaterMarkBytes: 100, slowReaderTimeoutMs: 1000 }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the part of a socket that an outbox uses
  const outbox = createOutbox(socket as unknown as WebSocket, limits)
  return { outbox, socket, said, read: () => flushes.shift()?.() }
}

test('below the high-water mark nothing waits', async () => {
  const { outbox, said } = createSocket()

  outbox.send('x'.repeat(100))
  await outbox.whenClear()

  expect([outbox.isCongested, said]).toEqual([false, []])
})

test('above it nothing is read or produced, until half of it is gone', async () => {
  const { outbox, read, said } = createSocket()
  outbox.send('x'.repeat(60))
  outbox.send('x'.repeat(60))
  const cleared = outbox.whenClear()
  read()
  const before = [outbox.isCongested, [...said]]

  read()
  await cleared

  expect(before).toEqual([true, ['pause']])
  expect([outbox.isCongested, said]).toEqual([false, ['pause', 'resume']])
})

test('a peer that reads too slowly for too long is closed with 1013, and cut when it does not answer', () => {
  const { outbox, said } = createSocket()
  outbox.send('x'.repeat(101))

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
  outbox.send('x'.repeat(101))
  const cleared = outbox.whenClear()

  socket.readyState = 3
  outbox.close()
  await cleared

  expect([outbox.isOpen, outbox.isCongested]).toEqual([false, false])
})
