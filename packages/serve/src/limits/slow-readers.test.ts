import { Duplex } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSlowReaders } from './slow-readers.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** A connection whose peer reads when the test says so. */
function createSocket() {
  const reads: (() => void)[] = []
  const socket = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done: () => void) => void reads.push(done),
  })
  return {
    socket,
    /** Sends so many bytes. */
    send: (bytes: number) => socket.write(Buffer.alloc(bytes)),
    /** Reads what was sent first. */
    read: () => reads.shift()?.(),
  }
}

test('a connection on which the same bytes wait for too long is cut', () => {
  using readers = createSlowReaders(10_000)
  const { send, socket } = createSocket()
  readers.watch(socket)
  send(100)

  vi.advanceTimersByTime(10_000)
  const before = socket.destroyed
  vi.advanceTimersByTime(2000)

  expect([before, socket.destroyed]).toEqual([false, true])
})

test('a connection whose peer reads on is kept, however slowly it does', () => {
  using readers = createSlowReaders(10_000)
  const { read, send, socket } = createSocket()
  readers.watch(socket)
  for (let at = 0; at < 10; at += 1) send(100)

  for (let at = 0; at < 10; at += 1) {
    vi.advanceTimersByTime(9000)
    read()
  }
  vi.advanceTimersByTime(100_000)

  expect(socket.destroyed).toBe(false)
})

test('much at once has as long again for each MiB', () => {
  using readers = createSlowReaders(10_000)
  const { send, socket } = createSocket()
  readers.watch(socket)
  send(2 * 1024 * 1024)

  vi.advanceTimersByTime(30_000)
  const before = socket.destroyed
  vi.advanceTimersByTime(2000)

  expect([before, socket.destroyed]).toEqual([false, true])
})

test('a connection on which nothing waits is left alone, whatever it waits for itself', () => {
  using readers = createSlowReaders(10_000)
  const { socket } = createSocket()
  readers.watch(socket)

  vi.advanceTimersByTime(1_000_000)

  expect(socket.destroyed).toBe(false)
})

test('the time begins anew with what is sent next', () => {
  using readers = createSlowReaders(10_000)
  const { read, send, socket } = createSocket()
  readers.watch(socket)
  send(100)
  vi.advanceTimersByTime(9000)
  read()
  vi.advanceTimersByTime(5000)
  send(100)

  vi.advanceTimersByTime(9000)

  expect(socket.destroyed).toBe(false)
})

test('a connection that was released is somebody else’s', () => {
  using readers = createSlowReaders(10_000)
  const { send, socket } = createSocket()
  readers.watch(socket)
  readers.release(socket)
  send(100)

  vi.advanceTimersByTime(100_000)

  expect(socket.destroyed).toBe(false)
})

test('nothing is kept of a connection that is closed, and no timer of a watch that has ended', () => {
  const readers = createSlowReaders(10_000)
  const { socket } = createSocket()
  readers.watch(socket)
  socket.destroy()

  readers[Symbol.dispose]()

  expect(vi.getTimerCount()).toBe(0)
})
