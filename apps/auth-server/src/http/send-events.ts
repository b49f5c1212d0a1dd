import { once } from 'node:events'
import type { ServerResponse } from 'node:http'

export type EventsAnswer = {
  readonly correlationId: string
  readonly events: (signal: AbortSignal) => AsyncGenerator<string, void>
}

/** Sends server-sent events, no faster than the caller reads, until they end or the caller goes. */
export async function sendEvents(res: ServerResponse, answer: EventsAnswer): Promise<void> {
  if (res.destroyed) return
  const gone = new AbortController()
  res.once('close', () => {
    gone.abort()
  })
  const events = answer.events(gone.signal)
  try {
    // The first one before the head: what fails until then is still answered as an error.
    const first = await events.next()
    if (res.destroyed) return
    res.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      // Proxies that collect an answer before they send it on would keep back what is urgent.
      'x-accel-buffering': 'no',
      'x-correlation-id': answer.correlationId,
    })
    if (first.done !== true) res.write(first.value)
    await sendRest(res, events, gone.signal)
  } finally {
    // Also for a caller that went before the first event: what they hold is given back.
    await events.return()
  }
}

async function sendRest(
  res: ServerResponse,
  events: AsyncGenerator<string, void>,
  gone: AbortSignal,
): Promise<void> {
  try {
    for await (const event of events) {
      if (res.write(event) || gone.aborted) continue
      await once(res, 'drain', { signal: gone })
    }
  } catch {
    // The caller went while it was written to, or the store did: an event stream has no other way to say so.
  }
  res.end()
}
