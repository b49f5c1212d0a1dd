// Timers for what almost always ends before its time: one timer of the machine for all, a list for each hundredth of a
// second, and nothing but a member of it for each of them.
import { readMs, startTimer, type Clock, type Timer } from '../protocol/index.ts'
import { createWaitingList, type WaitingList } from '../waiting-list.ts'

export type CoarseTimers = {
  /** Calls back once, up to 10 ms late; what it answers ends the wait. */
  start(ms: number, callback: () => void): () => void
}

/** How late a timer may be. */
export const COARSE_MS = 10

/** Creates timers that go by a clock. */
export function createCoarseTimers(clock: Clock): CoarseTimers {
  /** By the hundredth of a second in which they are due. */
  const due = new Map<number, WaitingList<() => void>>()
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
      waits.forEach((callback, leave) => {
        leave()
        callback()
      })
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

  function open(tick: number): WaitingList<() => void> {
    const waits = createWaitingList<() => void>()
    due.set(tick, waits)
    return waits
  }

  return {
    start(ms, callback) {
      const tick = Math.ceil((readMs(clock) + ms) / COARSE_MS)
      const waits = due.get(tick) ?? open(tick)
      const leave = waits.add(callback)
      wakeAt(tick)
      return () => {
        if (leave() && waits.isEmpty()) due.delete(tick)
      }
    },
  }
}
