// A subscription's answer as tRPC's server sends it: server-sent events (WHATWG HTML §9.2).
import { startTimer, systemClock, type Timer } from '@deputy/auth/protocol'
import { createStreamCut } from './links/lost-call.ts'
import { EventSourceParserStream, type EventSourceMessage } from 'eventsource-parser/stream'

/** Attack prevented: an agent that sends one event without an end until its caller's memory is full. */
const MAX_EVENT_CHARS = 16 * 1024 * 1024

export type EventStream = {
  /** The next event; `undefined` at the end. Rejects when the connection is cut. */
  next(): Promise<EventSourceMessage | undefined>
  /** From now on, rejects when nothing at all has come for so long: a connection can die without a sign. */
  expectSomethingEvery(ms: number): void
  /** Cuts the connection, and waits no more. */
  close(): void
}

/** Reads the body of an answer. */
export function openEventStream(body: ReadableStream<Uint8Array>): EventStream {
  const toText: ReadableWritablePair<string, Uint8Array> = new TextDecoderStream()
  const reader = body
    .pipeThrough(toText)
    .pipeThrough(new EventSourceParserStream({ maxBufferSize: MAX_EVENT_CHARS }))
    .getReader()
  let everyMs: number | undefined
  let timer: Timer | undefined
  let fail: ((reason: Error) => void) | undefined

  function restart(): void {
    timer?.cancel()
    if (everyMs === undefined) return
    timer = startTimer(systemClock, everyMs, () => {
      fail?.(createStreamCut(`nothing came for ${String(everyMs)} ms`))
    }).unref()
  }

  async function read(): Promise<EventSourceMessage | undefined> {
    const { value } = await reader.read()
    restart()
    return value
  }

  return {
    // Not a race with one long-lived promise, which would keep something of every event.
    next: async () =>
      new Promise((resolve, reject) => {
        fail = reject
        read().then(resolve, reject)
      }),
    expectSomethingEvery(ms) {
      everyMs = ms
      restart()
    },
    close() {
      timer?.cancel()
      reader.cancel().catch(() => undefined)
    },
  }
}
