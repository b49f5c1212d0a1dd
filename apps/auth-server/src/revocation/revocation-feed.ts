// Hands on what is revoked, to every verifier that listens: what there is at first, then whatever comes,
// a moment after its commit. One reader of the database serves all of them.
import { startInterval, type Clock } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import type { RevocationSignal } from '../storage/revocation-signal.ts'
import type { FeedEntry, FeedHead, RevocationStore } from './revocation-store.ts'

/** What a verifier hears. */
export type FeedEvent =
  /** Everything that lives, in parts: of the first, `isReset` says that what was known before is void. */
  | (Entries & { readonly type: 'snapshot'; readonly isReset: boolean })
  | (Entries & { readonly type: 'revoked' })
  /** What there was has been told. */
  | { readonly type: 'ready' }
  /** Nothing was revoked that was not told. */
  | { readonly type: 'heartbeat' }

type Entries = { readonly head: FeedHead; readonly entries: readonly FeedEntry[] }

export type FollowFeed = {
  /** How far the follower has come; `undefined` for one that knows nothing. */
  readonly after: FeedHead | undefined
  readonly signal: AbortSignal
}

export type RevocationFeed = AsyncDisposable & {
  /** Ends when it is aborted or the feed closes. Rejects when the store is gone before it is ready. */
  follow(request: FollowFeed): AsyncGenerator<FeedEvent, void>
}

export type RevocationFeedOptions = {
  readonly revocations: Pick<RevocationStore, 'head' | 'listAfter'>
  readonly signal: RevocationSignal
  readonly clock: Clock
  readonly logger: Logger
  /** Done with entries before followers hear of them. When it rejects they hear all the same, and the log says so. */
  readonly beforeTelling?: ((entries: readonly FeedEntry[]) => Promise<void>) | undefined
  /** How often followers hear that nothing is missing. Default 5,000 ms. */
  readonly heartbeatMs?: number | undefined
}

/** Entries in one event, at most. */
const MAX_ENTRIES = 1000

/** Entries that are kept for followers who are a moment behind. */
const MAX_TAIL = 10_000

/** Opens the feed. Rejects when the store cannot be read. */
export async function openRevocationFeed(options: RevocationFeedOptions): Promise<RevocationFeed> {
  const { logger, revocations } = options
  const closing = new AbortController()
  const { feedId, seq: firstSeq } = await revocations.head()
  let seqRead = firstSeq
  const tail: FeedEntry[] = []
  let tailBeginsAfter = firstSeq
  let beats = 0
  let change = Promise.withResolvers<void>()
  let reading: Promise<void> | undefined
  let isAsked = false

  function tell(): void {
    change.resolve()
    change = Promise.withResolvers()
  }

  async function readNew(): Promise<void> {
    let page: readonly FeedEntry[]
    do {
      page = await revocations.listAfter(seqRead, MAX_ENTRIES)
      const last = page.at(-1)
      if (last === undefined) return
      await options.beforeTelling?.(page).catch((err: unknown) => {
        logger.warn({ err }, 'what the revocation feed says could not be followed here')
      })
      seqRead = last.seq
      tail.push(...page)
      const surplus = tail.splice(0, Math.max(0, tail.length - MAX_TAIL))
      tailBeginsAfter = surplus.at(-1)?.seq ?? tailBeginsAfter
      tell()
    } while (page.length === MAX_ENTRIES)
  }

  /** Whoever asks while it reads is served by one more round. */
  async function read(): Promise<void> {
    isAsked = true
    reading ??= (async () => {
      try {
        while (isAsked) {
          isAsked = false
          await readNew()
        }
      } finally {
        reading = undefined
      }
    })()
    return reading
  }

  async function beat(): Promise<void> {
    try {
      await read()
      beats += 1
      tell()
    } catch (err) {
      // Followers hear nothing, and know by that how old their view is.
      logger.warn({ err }, 'the revocation feed cannot read the store')
    }
  }

  const timer = startInterval(options.clock, options.heartbeatMs ?? 5000, () => void beat())
  const stop = options.signal.onRevoked(() => {
    // The next beat tries again.
    read().catch(() => undefined)
  })

  async function listAfter(seq: number): Promise<readonly FeedEntry[]> {
    if (seq >= tailBeginsAfter) return tail.filter((entry) => entry.seq > seq)
    return revocations.listAfter(seq, MAX_ENTRIES)
  }

  return {
    async *follow({ after, signal }) {
      const ending = AbortSignal.any([signal, closing.signal])
      const ended = new Promise<void>((resolve) => {
        ending.addEventListener('abort', () => resolve(), { once: true })
      })
      await read()
      // Numbers of another database, or of one that was restored, mean nothing here.
      const isKnown = after?.feedId === feedId && after.seq <= seqRead
      let seq = isKnown ? after.seq : 0
      let isReset = !isKnown
      let isReady = false
      let heard = beats
      while (!ending.aborted) {
        const { promise } = change
        const entries = (await listAfter(seq)).slice(0, MAX_ENTRIES)
        seq = entries.at(-1)?.seq ?? seq
        const type = isKnown || isReady ? 'revoked' : 'snapshot'
        if (entries.length > 0 || isReset) {
          const at = { feedId, seq }
          yield type === 'snapshot'
            ? { type, head: at, entries, isReset }
            : { type, head: at, entries }
          isReset = false
          if (entries.length === MAX_ENTRIES) continue
        }
        if (!isReady) {
          isReady = true
          yield { type: 'ready' }
          continue
        }
        if (beats > heard) {
          heard = beats
          yield { type: 'heartbeat' }
          continue
        }
        await Promise.race([promise, ended])
      }
    },

    async [Symbol.asyncDispose]() {
      timer.cancel()
      stop()
      closing.abort()
      await reading?.catch(() => undefined)
    },
  }
}
