// Events of quotas as they come, written by this process or by another one on the same database: each once and none
// left out, from where a caller was before.
import type { QuotaEvent, WatchQuotasInput } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { setTimeout } from 'node:timers/promises'
import type { BillingStorage } from '../storage/open-storage.ts'
import { viewerOf } from './read-quotas.ts'

/** How long the events of other processes wait to be seen, at most. */
const POLL_EVERY_MS = 1000

/** Events in memory for one listener, at most: the next ones are read when these have been taken. */
const PAGE = 100

/** `quotas.watch`. Ends when the call's signal aborts. */
export async function* watchQuotas(
  storage: BillingStorage,
  call: Call,
  { lastEventId, ownerId }: WatchQuotasInput,
): AsyncGenerator<QuotaEvent, void, undefined> {
  const viewer = viewerOf(call, ownerId)
  const signal = call.signal ?? new AbortController().signal
  let afterId = lastEventId ?? (await storage.read(async ({ quotas }) => quotas.newestEventId()))
  while (!signal.aborted) {
    // Listening before reading: what is written in between wakes it all the same.
    const written = Promise.withResolvers<void>()
    const stop = storage.onQuotaEvent(written.resolve)
    try {
      const query = { viewer, afterId, limit: PAGE }
      const events = await storage.read(async ({ quotas }) => quotas.listEvents(query))
      for (const event of events) {
        if (signal.aborted) return
        afterId = event.eventId
        yield event
      }
      if (events.length < PAGE) await Promise.race([written.promise, waitQuietly(signal)])
    } finally {
      stop()
    }
  }
}

async function waitQuietly(signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(POLL_EVERY_MS, undefined, { signal, ref: false })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
