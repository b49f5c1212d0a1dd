// Forgets, every minute, what is over and need not be remembered any more.
import { startInterval, type Clock } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import type { Storage } from './storage/open-storage.ts'
import type { StoredReplayMemory } from './storage/replay-memory.ts'

const EVERY_MS = 60_000

/** How long a grant or an approval that is over can still be looked up: 30 days. */
const KEEP_SECONDS = 30 * 24 * 60 * 60

export type HousekeepingOptions = {
  readonly storage: Pick<Storage, 'approvals' | 'grants' | 'revocations'>
  readonly replayMemory: Pick<StoredReplayMemory, 'prune'>
  readonly clock: Clock
  readonly logger: Logger
  /** Default 60,000 ms. */
  readonly everyMs?: number | undefined
}

/** Starts the timer. Disposing stops it, and waits for a round that is under way. */
export function startHousekeeping(options: HousekeepingOptions): AsyncDisposable {
  const { clock, everyMs = EVERY_MS, logger, replayMemory, storage } = options
  let round: Promise<void> = Promise.resolve()

  async function tidy(): Promise<void> {
    try {
      await replayMemory.prune()
      await storage.revocations.prune(clock.now())
      await storage.grants.prune(clock.now() - KEEP_SECONDS)
      await storage.approvals.prune(clock.now() - KEEP_SECONDS)
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
