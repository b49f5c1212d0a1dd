// Reads the revocation feed as a verifier would, event by event.
import { basic } from './oauth-request.ts'
import type { Client, TestServer } from './auth-server.ts'

export type HeardEvent = {
  readonly event: string
  readonly id: string | undefined
  readonly data: { readonly reset?: boolean; readonly entries?: readonly (readonly unknown[])[] }
}

export type HeardFeed = AsyncDisposable & {
  /** The next event that is no heartbeat; `undefined` at the end of the stream. */
  next(): Promise<HeardEvent | undefined>
}

/** Connects. Throws when the answer is no event stream. */
export async function followFeed(
  server: Pick<TestServer, 'issuer'>,
  client: Client,
  lastEventId?: string,
): Promise<HeardFeed> {
  const hangUp = new AbortController()
  const response = await fetch(`${server.issuer}/oauth/revocations`, {
    signal: hangUp.signal,
    headers: {
      ...basic(client),
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
  })
  if (response.body === null || response.status !== 200) {
    throw new Error(`the feed answered ${String(response.status)}: ${await response.text()}`)
  }
  const events = readEvents(response.body.pipeThrough(new TextDecoderStream()))
  return {
    async next() {
      for (;;) {
        const { done, value } = await events.next()
        if (done === true) return undefined
        if (value.event !== 'heartbeat') return value
      }
    },
    async [Symbol.asyncDispose]() {
      hangUp.abort()
    },
  }
}

async function* readEvents(chunks: ReadableStream<string>): AsyncGenerator<HeardEvent, void> {
  let text = ''
  for await (const chunk of chunks) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
      )
      text = text.slice(end + 2)
      yield {
        event: fields.get('event') ?? '',
        id: fields.get('id'),
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a test that asserts on it follows
        data: JSON.parse(fields.get('data') ?? '{}') as HeardEvent['data'],
      }
    }
  }
}
