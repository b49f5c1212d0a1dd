/** Counts the messages of one connection: so many a second on average, twice as many at once. */
export type MessageRate = {
  /** Whether this many more are within the rate. */
  take(count: number, nowMs: number): boolean
}

/** Creates the count. */
export function createMessageRate(perSecond: number): MessageRate {
  const most = 2 * perSecond
  let left = most
  let countedAtMs = 0

  return {
    take(count, nowMs) {
      left = Math.min(most, left + ((nowMs - countedAtMs) / 1000) * perSecond)
      countedAtMs = nowMs
      left -= count
      return left >= 0
    },
  }
}
