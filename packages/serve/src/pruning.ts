// Forgets, every minute, what is over and need not be remembered any more.
import type { Logger } from 'pino'

const EVERY_MS = 60_000

export type PruningOptions = {
  /** Deletes what is over. */
  readonly prune: () => Promise<unknown>
  readonly logger: Logger
  /** Default 60,000 ms. */
  readonly everyMs?: number | undefined
}

/** Starts the timer. Disposing stops it, and waits for a round that is under way. */
export function startPruning(options: PruningOptions): AsyncDisposable {
  const { everyMs = EVERY_MS, logger, prune } = options
  let round: Promise<void> = Promise.resolve()

  async function tidy(): Promise<void> {
    try {
      await prune()
    } catch (err) {
      logger.warn({ err }, 'what is over was not forgotten: trying again in a minute')
    }
  }

  const timer = setInterval(() => {
    round = round.then(tidy)
  }, everyMs).unref()
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await round
    },
  }
}
