// Notes when credentials were last used: lazily, so that no call waits for it and a busy credential
// costs one write a minute. What was not written when the process is killed is lost: half a minute of uses.
//
// Uses are gathered and written in the order of the credentials' ids, some at a time: neighbours share a page,
// so that of a million credentials the uses cost little more than those of a thousand.
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
  /** Default 30,000 ms. */
  readonly flushEveryMs?: number | undefined
  /** Uses that are gathered before they are written early; at twice as many, more are let go. Default 100,000. */
  readonly maxPending?: number | undefined
}

/** How often the last use of one credential is written at most. */
export const TOUCH_EVERY_SECONDS = 60

/** Uses of one write: a longer one would hold up the commits of others. */
const MAX_WRITE = 250

/** Credentials of which it is remembered that they were noted; one that was forgotten costs a write too many. */
const MAX_REMEMBERED = 200_000

/** Uses whose ids begin alike, by their ids. */
type Bucket = Map<string, EpochSeconds>

/** Creates the log. */
export function createUseLog(options: UseLogOptions): UseLog {
  const { clock = systemClock, flushEveryMs = 30_000, onFault, write } = options
  const { maxPending = 100_000 } = options
  const noted = createNotedAt()
  let pending = new Map<string, Bucket>()
  let size = 0
  let last: Promise<void> = Promise.resolve()

  async function writeAll(): Promise<void> {
    const buckets = pending
    pending = new Map()
    size = 0
    // Sorted bucket by bucket: all at once would stop the process for as long as a hundred tokens take.
    for (const [, bucket] of [...buckets].toSorted(byKey)) {
      const uses = [...bucket].toSorted(byKey)
      for (let from = 0; from < uses.length; from += MAX_WRITE) {
        const part = new Map(uses.slice(from, from + MAX_WRITE))
        try {
          await write(part)
        } catch (error) {
          // Noted anew by the next use.
          for (const id of part.keys()) noted.forget(id)
          onFault(error)
        }
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
      const at = noted.find(id)
      if (at !== undefined && now - at < TOUCH_EVERY_SECONDS) return
      // The disk does not keep up: what is let go is noted by the next use.
      if (size >= 2 * maxPending) return
      noted.set(id, now)
      const start = id.slice(0, 2)
      const bucket = pending.get(start) ?? new Map<string, EpochSeconds>()
      if (bucket.size === 0) pending.set(start, bucket)
      if (!bucket.has(id)) size += 1
      bucket.set(id, now)
      if (size === maxPending) void flush()
    },
    flush,
    async [Symbol.asyncDispose]() {
      timer.cancel()
      await flush()
    },
  }
}

/** Remembers when uses were noted, in two generations: the older one goes when the newer one is full. */
function createNotedAt() {
  let newer = new Map<string, EpochSeconds>()
  let older = new Map<string, EpochSeconds>()
  return {
    find: (id: string): EpochSeconds | undefined => newer.get(id) ?? older.get(id),
    set(id: string, at: EpochSeconds): void {
      if (newer.size >= MAX_REMEMBERED / 2) {
        older = newer
        newer = new Map()
      }
      newer.set(id, at)
    },
    forget(id: string): void {
      newer.delete(id)
      older.delete(id)
    },
  }
}

function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  if (a[0] === b[0]) return 0
  return a[0] < b[0] ? -1 : 1
}
