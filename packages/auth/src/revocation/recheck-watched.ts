// Asks about those that are under way when the feed, which would tell of their end, is gone for longer than a view may be
// old: by the same rule by which a call is asked about then.
import type { Principal } from '../principal.ts'
import { refuse, startTimer, type Clock, type Result, type Timer } from '../protocol/index.ts'
import type { CredentialRefusal } from '../refusal.ts'
import type { Recheck, RevocationView } from './revocation-view.ts'

/** How often, in milliseconds, while the feed is gone. */
const EVERY_MS = 15_000

/** After so many in a row about whom nobody could be asked, nobody else is asked either: each of them may take seconds. */
const MAX_UNANSWERED = 3

const UNAVAILABLE = { reason: 'verifier_unavailable', detail: 'the feed is gone' } as const

export type RecheckWatchedOptions = {
  readonly view: Pick<RevocationView, 'isLive' | 'listen' | 'listWatched'>
  readonly clock: Clock
  /** Whether the view is too old to be relied on. */
  readonly isStale: () => boolean
  /** Whether it is so old that nobody may go on about whom nobody can be asked. */
  readonly isGraceOver: () => boolean
}

/**
 * Starts doing so. One after the other: whoever was without its feed is not to be the next flood.
 *
 * Attack prevented: keeping an agent from its feed, to go on with a stream that was opened before it was taken away.
 */
export function recheckWatched(options: RecheckWatchedOptions): void {
  const { clock, isGraceOver, isStale, view } = options
  let timer: Timer | undefined
  let isAsking = false

  function wait(): void {
    timer = startTimer(clock, EVERY_MS, () => {
      wait()
      void ask()
    }).unref()
  }

  async function ask(): Promise<void> {
    if (isAsking) return
    isAsking = true
    try {
      let unanswered = 0
      for (const { deny, recheck } of view.listWatched()) {
        if (!isStale()) return
        const isHopeless = unanswered >= MAX_UNANSWERED && isGraceOver()
        const found = isHopeless ? undefined : await look(recheck)
        unanswered = found === undefined ? unanswered + 1 : 0
        if (found?.ok === false) deny(found.refusal)
        else if (found === undefined && isGraceOver()) deny(UNAVAILABLE)
      }
    } finally {
      isAsking = false
    }
  }

  view.listen({
    onEntries: () => undefined,
    onGap() {
      // Told again with each attempt to have it back.
      if (timer === undefined) wait()
    },
    onCaughtUp() {
      timer?.cancel()
      timer = undefined
    },
  })
  if (!view.isLive) wait()
}

/** `undefined` when nobody could be asked. */
async function look(recheck: Recheck): Promise<Result<Principal, CredentialRefusal> | undefined> {
  const found = await recheck().catch(() => undefined)
  if (found === undefined || found.ok) return found
  const { refusal } = found
  if (refusal.reason === 'verifier_unavailable' || refusal.reason === 'rate_limited')
    return undefined
  return refuse(refusal)
}
