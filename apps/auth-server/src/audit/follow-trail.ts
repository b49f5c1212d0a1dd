// The live end of the trail: entries as they are written, by this server or by another one on the same
// database, each once and none left out, until whoever listens goes away.
import { systemClock, waitFor, type Clock } from '@deputy/auth/protocol'
import type { AuditEntry } from './audit-event.ts'
import type { AuditSelection, AuditTrail } from './audit-trail.ts'

/** How long the entries of other servers wait to be seen, at most. */
export const POLL_EVERY_MS = 1000

/** Entries in memory for one listener, at most: the next ones are read when these have been taken. */
const PAGE = 100

export type FollowOptions = AuditSelection & {
  /** Begins with the first entry after this one. */
  readonly afterId: number
  readonly signal: AbortSignal
  /** What waits go by. Default: the machine's timers. */
  readonly clock?: Clock | undefined
}

/** Yields entries as they come. Ends when the signal aborts. */
export async function* followTrail(
  trail: Pick<AuditTrail, 'readAfter' | 'onAppend'>,
  options: FollowOptions,
): AsyncGenerator<AuditEntry, void, undefined> {
  const { clock = systemClock, filter, signal, within } = options
  let { afterId } = options
  while (!signal.aborted) {
    // Listening before reading: what is written in between wakes it all the same.
    const written = new AbortController()
    const stop = trail.onAppend(() => written.abort())
    try {
      const { entries, reachedId } = await trail.readAfter({ within, filter, afterId, limit: PAGE })
      for (const entry of entries) {
        if (signal.aborted) return
        yield entry
      }
      if (reachedId > afterId) {
        afterId = reachedId
        continue
      }
      await waitFor(clock, POLL_EVERY_MS, AbortSignal.any([signal, written.signal]))
    } finally {
      stop()
    }
  }
}
