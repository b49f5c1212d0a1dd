import type { Clock, EpochSeconds } from '@deputy/auth/protocol'

/** A clock that stands still until it is told to move. */
export type SettableClock = Clock & {
  advance(seconds: number): void
  set(now: EpochSeconds): void
}

/** Creates a clock. It begins at a moment that every test can rely on. */
export function createSettableClock(start: EpochSeconds = 1_800_000_000): SettableClock {
  let now = start
  return {
    now: () => now,
    advance(seconds) {
      now += seconds
    },
    set(moment) {
      now = moment
    },
  }
}

type Alarm = { readonly atMs: number; readonly callback: () => void }

/** A clock that timers go by as well: those that are due run in the moment in which it is moved. */
export function createTimedClock(): SettableClock {
  const clock = createSettableClock()
  const alarms = new Set<Alarm>()

  function set(moment: EpochSeconds): void {
    clock.set(moment)
    const due = [...alarms].filter(({ atMs }) => atMs <= moment * 1000)
    for (const alarm of due.toSorted((a, b) => a.atMs - b.atMs)) {
      // An earlier one may have cancelled it.
      if (alarms.delete(alarm)) alarm.callback()
    }
  }

  return {
    now: () => clock.now(),
    after(ms, callback) {
      const alarm = { atMs: clock.now() * 1000 + ms, callback }
      alarms.add(alarm)
      return () => alarms.delete(alarm)
    },
    advance: (seconds) => {
      set(clock.now() + seconds)
    },
    set,
  }
}
