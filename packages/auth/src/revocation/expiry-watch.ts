// Who waits for which moment. One timer for all that end in the same second: a call that begins and ends before
// sets none and clears none.
import { startTimer, type Clock, type EpochSeconds, type Timer } from '../protocol/index.ts'
import { createWaitingList, type WaitingList } from '../waiting-list.ts'

/** Calls back in the moment in which something expires. */
export type ExpiryWatch = {
  /** Calls back, once, at that moment, unless the function that it returns is called before. */
  add(expiresAt: EpochSeconds, onExpired: () => void): () => void
}

/** So many moments are kept although nobody waits for them any more: most callers come again. */
const MOMENTS_KEPT = 1000

type Moment = { readonly waiting: WaitingList<() => void>; timer: Timer }

/** Creates the watch of one agent. */
export function createExpiryWatch(clock: Clock): ExpiryWatch {
  const moments = new Map<EpochSeconds, Moment>()
  let sweepAbove = MOMENTS_KEPT

  function start(expiresAt: EpochSeconds): Timer {
    const ms = clock.msUntil?.(expiresAt) ?? (expiresAt - clock.now()) * 1000
    return startTimer(clock, ms, () => {
      const moment = moments.get(expiresAt)
      if (moment === undefined) return
      // Again, if a timer cannot wait so long, fired a moment early, or the clock was set back.
      if (clock.now() < expiresAt) {
        moment.timer = start(expiresAt)
        return
      }
      moments.delete(expiresAt)
      moment.waiting.forEach((onExpired) => {
        onExpired()
      })
    }).unref()
  }

  function open(expiresAt: EpochSeconds): Moment {
    if (moments.size >= sweepAbove) {
      closeIdle()
      sweepAbove = Math.max(MOMENTS_KEPT, 2 * moments.size)
    }
    const moment = { waiting: createWaitingList<() => void>(), timer: start(expiresAt) }
    moments.set(expiresAt, moment)
    return moment
  }

  function closeIdle(): void {
    for (const [expiresAt, { timer, waiting }] of moments) {
      if (!waiting.isEmpty()) continue
      timer.cancel()
      moments.delete(expiresAt)
    }
  }

  return {
    add(expiresAt, onExpired) {
      const { waiting } = moments.get(expiresAt) ?? open(expiresAt)
      return waiting.add(onExpired)
    },
  }
}
