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
