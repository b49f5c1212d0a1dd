// Notes when credentials were last used: lazily, so that no call waits for it and a busy credential
// costs one write a minute. What was not written when the process is killed is lost.
import { startInterval, systemClock, type Clock, type EpochSeconds } from '@deputy/auth/protocol'

/** Notes uses, and writes them some time later. */
export type UseLog = AsyncDisposable & {
  note(credentialId: string, now: EpochSeconds): void
  /** Writes what is noted. Called before uses are shown, and by a timer. */
  flush(): Promise<void>
}

export type UseLogOptions = {
  /** Writes the last uses of some credentials, all or none. */
  readonly write: (uses: ReadonlyMap<string, EpochSeconds>) => Promise<void>
  /** Told when uses could not be written; they are tried again. */
  readonly onFault: (error: unknown) => void
  readonly clock?: Clock | undefined
  /** Default 5,000 ms. */
  readonly flushEveryMs?: number | undefined
}

/** How often the last use of one credential is written at most. */
export const TOUCH_EVERY_SECONDS = 60

/** Uses of one write: a longer one would hold up the commits of others. */
const MAX_WRITE = 100

/** Credentials remembered at most; one that was forgotten costs a write too many. */
const MAX_REMEMBERED = 100_000

/** Creates the log of one kind of credential. */
export function createUseLog(options: UseLogOptions): UseLog {
  const { clock = systemClock, flushEveryMs = 5000, onFault, write } = options
  const writtenAt = new Map<string, EpochSeconds>()
  let pending = new Map<string, EpochSeconds>()
  let last: Promise<void> = Promise.resolve()

  async function writeAll(): Promise<void> {
    const uses = pending
    pending = new Map()
    const entries = [...uses]
    for (let from = 0; from < entries.length; from += MAX_WRITE) {
      const part = new Map(entries.slice(from, from + MAX_WRITE))
      try {
        await write(part)
      } catch (error) {
        // Noted anew by the next use.
        for (const id of part.keys()) writtenAt.delete(id)
        onFault(error)
      }
    }
  }

  /** One after the other: a flush that returns has written what was noted before it. */
  async function flush(): Promise<void> {
    last = last.then(writeAll)
    return last
  }

  const timer = startInterval(clock, flushEveryMs, () => void flush())
  return {
    note(id, now) {
      const at = writtenAt.get(id)
      if (at !== undefined && now - at < TOUCH_EVERY_SECONDS) return
      if (writtenAt.size >= MAX_REMEMBERED) writtenAt.clear()
      writtenAt.set(id, now)
      pending.set(id, now)
    },
    flush,
    async [Symbol.asyncDispose]() {
      timer.cancel()
      await flush()
    },
  }
}
