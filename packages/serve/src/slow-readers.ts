// Streams over HTTP whose reader has stopped reading: tRPC waits with the next value until the last one has gone, so
// that nothing piles up; but a stream that waits for ever holds what its procedure holds.
import type { ServerResponse } from 'node:http'

export type SlowReaders = AsyncDisposable & {
  /** Watches over a response until it is closed. */
  watch(res: ServerResponse): void
}

type Stalled = { readonly sinceMs: number; readonly bytesWritten: number }

/** How often responses are looked at. */
const SWEEP_EVERY_MS = 1000

/** Creates the watch: a response of which nothing was read for so long, while something waits, is cut. */
export function createSlowReaders(timeoutMs: number): SlowReaders {
  const responses = new Map<ServerResponse, Stalled | undefined>()
  const timer = setInterval(
    () => {
      const nowMs = performance.now()
      for (const [res, before] of responses) {
        const bytesWritten = res.socket?.bytesWritten ?? 0
        const waits = (res.socket?.writableLength ?? 0) > 0
        if (!waits) responses.set(res, undefined)
        else if (before?.bytesWritten !== bytesWritten) {
          responses.set(res, { sinceMs: nowMs, bytesWritten })
        } else if (nowMs - before.sinceMs >= timeoutMs) res.destroy()
      }
    },
    Math.min(SWEEP_EVERY_MS, timeoutMs),
  ).unref()

  return {
    watch(res) {
      responses.set(res, undefined)
      res.once('close', () => responses.delete(res))
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
    },
  }
}
