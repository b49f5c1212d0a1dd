/** Seconds since 1970-01-01T00:00:00Z, whole: the unit of every `exp`, `iat` and `…At` (RFC 7519 §2, NumericDate). */
export type EpochSeconds = number

/** Where the time comes from. Everything that decides by time takes one, so that tests can hold it still. */
export type Clock = {
  /** The current time in whole seconds. */
  now(): EpochSeconds
  /**
   * How many milliseconds it is until a moment, where the clock knows better than in whole seconds. Below 0 once
   * the moment is over.
   */
  readonly msUntil?: ((at: EpochSeconds) => number) | undefined
  /**
   * Calls back once, when so many milliseconds have passed on this clock; the function that it returns
   * ends the wait. A clock without it leaves that to the machine's timers. Called by `startTimer`.
   */
  readonly after?: ((ms: number, callback: () => void) => () => void) | undefined
}

/** Reads the machine's clock. The only place in Deputy that does. */
export const systemClock: Clock = Object.freeze({
  now: () => Math.floor(Date.now() / 1000),
  msUntil: (at: EpochSeconds) => at * 1000 - Date.now(),
})
