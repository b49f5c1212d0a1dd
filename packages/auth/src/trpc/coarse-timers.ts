// Timers for what almost always ends before its time: one timer of the machine for all, a set for each hundredth of a
// second, and nothing but a set's member for each of them.
import { readMs, startTimer, type Clock, type Timer } from '../protocol/index.ts'

export type CoarseTimers = {
  /** Calls back once, up to 10 ms late; what it answers ends the wait. */
  start(ms: number, callback: () => void): () => void
}

/** How late a timer may be. */
export const COARSE_MS = 10

/** Creates timers that go by a clock. */
export function createCoarseTimers(clock: Clock): CoarseTimers {
  /** By the hundredth of a second in which they are due. */
  const due = new Map<number, Set<{ readonly callback: () => void }>>()
  let timer: Timer | undefined
  let firesAt = Number.POSITIVE_INFINITY

  function wake(): void {
    timer = undefined
    firesAt = Number.POSITIVE_INFINITY
    const now = readMs(clock)
    let next = Number.POSITIVE_INFINITY
    for (const [tick, waits] of due) {
      if (tick * COARSE_MS > now) {
        next = Math.min(next, tick)
        continue
      }
      due.delete(tick)
      for (const { callback } of waits) callback()
    }
    if (next !== Number.POSITIVE_INFINITY) wakeAt(next)
  }

  function wakeAt(tick: number): void {
    if (tick >= firesAt) return
    timer?.cancel()
    firesAt = tick
    const ms = Math.ceil(tick * COARSE_MS - readMs(clock))
    timer = startTimer(clock, ms, wake).unref()
  }

  return {
    start(ms, callback) {
      const tick = Math.ceil((readMs(clock) + ms) / COARSE_MS)
      const wait = { callback }
      const waits = due.get(tick)
      if (waits === undefined) due.set(tick, new Set([wait]))
      else waits.add(wait)
      wakeAt(tick)
      return () => {
        const others = due.get(tick)
        others?.delete(wait)
        if (others?.size === 0) due.delete(tick)
      }
    },
  }
}
