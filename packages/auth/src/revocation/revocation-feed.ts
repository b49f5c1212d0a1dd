// Follows the authorization server's revocation feed: connects, hears, and connects again, from where it
// was, whenever the connection ends or says nothing any more.
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import {
  parseSecureUrl,
  ReachQuestion,
  RevocationEventData,
  startTimer,
  systemClock,
  timeoutSignal,
  waitFor,
  type Clock,
  type ReachAnswer,
  type Timer,
} from '../protocol/index.ts'
import { toBasicAuthorization } from '../verify/basic-authorization.ts'
import { createIssuerDiscovery, type IssuerDiscoveryOptions } from '../verify/issuer-discovery.ts'
import { createIssuerRequests, READ_RARELY, type IssuerAnswer } from '../verify/issuer-request.ts'
import type { RevocationView } from './revocation-view.ts'

export type FollowFeedOptions = IssuerDiscoveryOptions & {
  readonly issuer: string
  /** This agent's own client id and secret: the feed is for authenticated agents only. */
  readonly clientId: string
  readonly clientSecret: string
  readonly view: RevocationView
  /** Money that is held below these grants, where the agent holds any. */
  readonly findHeld?: ((grantIds: readonly string[]) => Promise<ReachAnswer['held']>) | undefined
  /** Told when the feed is lost and when it is there again. Never a secret. */
  readonly onChange?: ((state: FeedState) => void) | undefined
  /** After how long without a word a connection is given up. Default 15,000 ms: three heartbeats. */
  readonly idleTimeoutMs?: number | undefined
  /** What waits go by. Default: the machine's. */
  readonly clock?: Clock | undefined
  /** Waits between two attempts; ends early, without rejecting, when aborted. */
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined
  /** From 0 to 1, so that agents do not all come back in the same moment. */
  readonly random?: (() => number) | undefined
}

/** How the feed is doing. `detail` says why it was lost; there is none at an issuer without a feed. */
export type FeedState =
  | { readonly state: 'following' }
  | { readonly state: 'lost'; readonly detail: string }
  | { readonly state: 'none' }

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 10_000

/** Starts following. Disposing ends it. */
export function followRevocationFeed(options: FollowFeedOptions): AsyncDisposable {
  const { clock = systemClock, view } = options
  const wait =
    options.wait ?? (async (ms: number, signal: AbortSignal) => waitFor(clock, ms, signal))
  const random = options.random ?? Math.random
  const idleTimeoutMs = options.idleTimeoutMs ?? 15_000
  const discover = createIssuerDiscovery(options.issuer, options)
  const send = createIssuerRequests(options.fetch)
  const closing = new AbortController()
  let lastEventId: string | undefined
  let failures = 0

  /** Tells how far a revocation would reach here. Where it cannot be told, the answer is left out. */
  async function answerReach(endpoint: string, text: string): Promise<void> {
    const { id, ...denied } = ReachQuestion.parse(JSON.parse(text))
    const held = (await options.findHeld?.(denied.grants)) ?? []
    const answer: ReachAnswer = { open: view.countWatched(denied), held }
    const answered = await send(endpoint, {
      signal: AbortSignal.any([closing.signal, timeoutSignal(clock, idleTimeoutMs)]),
      headers: { authorization: toBasicAuthorization(options.clientId, options.clientSecret) },
      form: { reach_id: id, reach: JSON.stringify(answer) },
    })
    await answered.discard()
  }

  function take(endpoint: string, { data, event, id }: EventSourceMessage): void {
    if (event === 'snapshot' || event === 'revoked') {
      const { entries, reset } = RevocationEventData.parse(JSON.parse(data), READ_RARELY)
      if (reset === true) view.beginSnapshot()
      view.apply(entries)
      // Only now: what could not be read is asked for again.
      lastEventId = id ?? lastEventId
    } else if (event === 'ready') {
      failures = 0
      view.heard()
      options.onChange?.({ state: 'following' })
    } else if (event === 'heartbeat') {
      view.heard()
    } else if (event === 'reach') {
      // Nothing depends on it but a preview, which says who did not answer.
      answerReach(endpoint, data).catch(() => undefined)
    }
    // A newer server may say more.
  }

  /** Follows one connection until it ends. Rejects with the reason. */
  async function followOnce(endpoint: string): Promise<never> {
    const ended = new AbortController()
    let timer: Timer | undefined
    const keepAlive = (): void => {
      timer?.cancel()
      timer = startTimer(clock, idleTimeoutMs, () => {
        ended.abort(new Error('the feed has not been heard of any more'))
      })
    }
    try {
      keepAlive()
      const answer = await send(endpoint, {
        signal: AbortSignal.any([closing.signal, ended.signal]),
        headers: {
          accept: 'text/event-stream',
          authorization: toBasicAuthorization(options.clientId, options.clientSecret),
          ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        },
      })
      if (answer.status !== 200) {
        await answer.discard()
        throw new Error(`the feed answered ${String(answer.status)}`)
      }
      for await (const event of readEvents(answer)) {
        keepAlive()
        take(endpoint, event)
      }
      throw new Error('the feed was closed')
    } finally {
      timer?.cancel()
      ended.abort()
      view.lost()
    }
  }

  async function follow(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        const { revocation_feed_endpoint: endpoint } = await discover()
        if (endpoint === undefined) {
          options.onChange?.({ state: 'none' })
          return
        }
        // Attack prevented: a secret sent in clear to where forged metadata points.
        parseSecureUrl(endpoint, 'revocation_feed_endpoint')
        await followOnce(endpoint)
      } catch (error) {
        if (closing.signal.aborted) return
        const detail = error instanceof Error ? error.message : 'unknown'
        options.onChange?.({ state: 'lost', detail })
      }
      const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures)
      failures = Math.min(failures + 1, 16)
      await wait(longest * (0.5 + random() / 2), closing.signal)
    }
  }

  const following = follow()
  return {
    async [Symbol.asyncDispose]() {
      closing.abort()
      await following
    },
  }
}

/** Reads events as they come. Rejects for what is no event stream. */
async function* readEvents({ body }: IssuerAnswer): AsyncIterable<EventSourceMessage> {
  let events: EventSourceMessage[] = []
  let fault: Error | undefined
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onError: (error) => (fault ??= error),
  })
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    parser.feed(decoder.decode(chunk, { stream: true }))
    const read = events
    events = []
    yield* read
    if (fault !== undefined) throw fault
  }
}
