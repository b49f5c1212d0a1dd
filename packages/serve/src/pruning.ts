// Forgets, every minute, what is over and need not be remembered any more.
import { startInterval, systemClock, type Clock } from '@deputy/auth/protocol'
import type { Logger } from 'pino'

const EVERY_MS = 60_000

export type PruningOptions = {
  /** Deletes what is over. */
  readonly prune: () => Promise<unknown>
  readonly logger: Logger
  readonly clock?: Clock | undefined
  /** Default 60,000 ms. */
  readonly everyMs?: number | undefined
}

/** Starts the timer. Disposing stops it, and waits for a round that is under way. */
export function startPruning(options: PruningOptions): AsyncDisposable {
  const { clock = systemClock, everyMs = EVERY_MS, logger, prune } = options
  let round: Promise<void> = Promise.resolve()

  async function tidy(): Promise<void> {
    try {
      await prune()
    } catch (err) {
      logger.warn({ err }, 'what is over was not forgotten: trying again in a minute')
    }
  }

  const timer = startInterval(clock, everyMs, () => {
    round = round.then(tidy)
  })
  return {
    async [Symbol.asyncDispose]() {
      timer.cancel()
      await round
    },
  }
}
