/** Seconds since 1970-01-01T00:00:00Z, whole: the unit of every `exp`, `iat` and `…At` (RFC 7519 §2, NumericDate). */
export type EpochSeconds = number

/** Where the time comes from. Everything that decides by time takes one, so that tests can hold it still. */
export type Clock = {
  /** The current time in whole seconds. */
  now(): EpochSeconds
}

/** Reads the machine's clock. The only place in Deputy that does. */
export const systemClock: Clock = Object.freeze({
  now: () => Math.floor(Date.now() / 1000),
})
