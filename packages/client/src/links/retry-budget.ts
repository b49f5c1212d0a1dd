/** What a client may spend on sending calls again. */
export type RetryBudget = {
  /** Takes one retry. Answers whether there was one left. */
  take(): boolean
  /** A call was answered: a tenth of a retry comes back. */
  noteSuccess(): void
}

const MAX_TOKENS = 10
const TOKENS_PER_SUCCESS = 0.1

/**
 * Creates a budget of 10 retries, which successes fill again: when most calls fail, only about one call in
 * ten is sent again. Attack prevented on others: a retry storm that keeps down what tries to come up.
 */
export function createRetryBudget(): RetryBudget {
  let tokens = MAX_TOKENS
  return Object.freeze({
    take() {
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
    noteSuccess() {
      tokens = Math.min(tokens + TOKENS_PER_SUCCESS, MAX_TOKENS)
    },
  })
}
