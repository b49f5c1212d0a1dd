import type { Clock, EpochSeconds } from '@deputy/auth/protocol'

export type TestClock = Clock & {
  set(now: EpochSeconds): void
  advance(seconds: number): void
}

/** When the tests' clocks begin. */
export const START_AT: EpochSeconds = 1_800_000_000

/** Creates a clock that stands still until it is told otherwise. */
export function createTestClock(): TestClock {
  let now = START_AT
  return {
    now: () => now,
    set: (next) => {
      now = next
    },
    advance: (seconds) => {
      now += seconds
    },
  }
}
