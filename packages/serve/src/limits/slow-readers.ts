// Peers that do not read what they asked for: what waits for them stays in memory, with all that its procedure
// holds. Whole connections are watched, at no cost for a request, so that it does not matter what the answer was.
import type { Duplex } from 'node:stream'

export type SlowReaders = Disposable & {
  /** Watches over a connection until it is closed. */
  watch(socket: Duplex): void
  /** Leaves it to somebody else. */
  release(socket: Duplex): void
}

type Waiting = {
  readonly sinceMs: number
  readonly length: number
  readonly bytesWritten: unknown
}

/** How often connections are looked at. */
const SWEEP_EVERY_MS = 1000

const MIB = 1024 * 1024

/**
 * Creates the watch: a connection on which the same bytes have waited for so long, and as long again for each MiB of
 * them, is cut. What has gone on its way is not told by `bytesWritten`, which counts what waits as well, but by both
 * numbers having stayed as they were.
 */
export function createSlowReaders(timeoutMs: number): SlowReaders {
  const sockets = new Map<Duplex, Waiting | undefined>()

  function look(socket: Duplex, before: Waiting | undefined, nowMs: number): void {
    const length = socket.writableLength
    if (length === 0) {
      if (before !== undefined) sockets.set(socket, undefined)
      return
    }
    const bytesWritten: unknown = Reflect.get(socket, 'bytesWritten')
    if (before?.length !== length || before.bytesWritten !== bytesWritten) {
      sockets.set(socket, { sinceMs: nowMs, length, bytesWritten })
    } else if (nowMs - before.sinceMs >= timeoutMs * (1 + length / MIB)) socket.destroy()
  }

  const timer = setInterval(
    () => {
      const nowMs = performance.now()
      for (const [socket, before] of sockets) look(socket, before, nowMs)
    },
    Math.min(SWEEP_EVERY_MS, timeoutMs),
  ).unref()

  return {
    watch(socket) {
      sockets.set(socket, undefined)
      socket.once('close', () => sockets.delete(socket))
    },
    release: (socket) => void sockets.delete(socket),
    [Symbol.dispose]: () => {
      clearInterval(timer)
    },
  }
}
