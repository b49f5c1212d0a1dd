// The live end of the trail: entries as they are written, by this server or by another one on the same
// database, each once and none left out, until whoever listens goes away.
import { setTimeout } from 'node:timers/promises'
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
  /** Waits; ends early, in whichever way, when the signal aborts. Default: a timer. */
  readonly sleep?: ((ms: number, signal: AbortSignal) => Promise<unknown>) | undefined
}

/** Yields entries as they come. Ends when the signal aborts. */
export async function* followTrail(
  trail: Pick<AuditTrail, 'readAfter' | 'onAppend'>,
  options: FollowOptions,
): AsyncGenerator<AuditEntry, void, undefined> {
  const { filter, signal, within } = options
  const sleep = options.sleep ?? (async (ms) => setTimeout(ms, undefined, { signal, ref: false }))
  let { afterId } = options
  while (!signal.aborted) {
    // Listening before reading: what is written in between wakes it all the same.
    const written = Promise.withResolvers<void>()
    const stop = trail.onAppend(written.resolve)
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
      await Promise.race([written.promise, waitQuietly(sleep, signal)])
    } finally {
      stop()
    }
  }
}

async function waitQuietly(
  sleep: NonNullable<FollowOptions['sleep']>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await sleep(POLL_EVERY_MS, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
