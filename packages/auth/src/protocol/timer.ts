// Waiting, by the clock that everything else goes by: a test that moves its clock moves what waits too.
import type { Clock } from './clock.ts'

/** Something that happens later. */
export type Timer = {
  cancel(): void
  /** Lets the process end while it waits, where there is a process. */
  unref(): Timer
}

/** Longer than this a timer of JavaScript cannot wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Calls back once, after so many milliseconds on the clock; after 24 days at the latest. */
export function startTimer(clock: Clock, ms: number, callback: () => void): Timer {
  const waitMs = Math.min(MAX_TIMER_MS, Math.max(0, ms))
  if (clock.after !== undefined) {
    const cancel = clock.after(waitMs, callback)
    const timer: Timer = { cancel, unref: () => timer }
    return timer
  }
  const handle = setTimeout(callback, waitMs)
  const timer: Timer = {
    cancel: () => clearTimeout(handle),
    unref() {
      // Outside of Node a handle is a number.
      if (typeof handle === 'object') handle.unref()
      return timer
    },
  }
  return timer
}

/**
 * Milliseconds on what `startTimer` goes by, which is only ever compared with itself: the machine's own count, which
 * nobody sets, or the clock where that has timers of its own.
 */
export function readMs(clock: Clock): number {
  if (clock.after === undefined) return performance.now()
  return clock.msUntil === undefined ? clock.now() * 1000 : -clock.msUntil(0)
}

/** Calls back again and again. Never a reason for a process to live on. */
export function startInterval(
  clock: Clock,
  everyMs: number,
  callback: () => void,
): Pick<Timer, 'cancel'> {
  let timer = schedule()

  function schedule(): Timer {
    return startTimer(clock, everyMs, () => {
      // First, so that one that cancels within the callback has something to cancel.
      timer = schedule()
      callback()
    }).unref()
  }

  return { cancel: () => timer.cancel() }
}

/** Waits so many milliseconds on the clock; ends early, without rejecting, when it is aborted. */
export async function waitFor(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const end = (): void => {
      timer.cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = startTimer(clock, ms, end)
    signal.addEventListener('abort', end)
  })
}

/** A signal that is aborted after so many milliseconds on the clock, as `AbortSignal.timeout` is. */
export function timeoutSignal(clock: Clock, ms: number): AbortSignal {
  if (clock.after === undefined) return AbortSignal.timeout(ms)
  const timeout = new AbortController()
  startTimer(clock, ms, () => {
    timeout.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
  })
  return timeout.signal
}
