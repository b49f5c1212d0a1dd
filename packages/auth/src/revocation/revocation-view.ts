// What an agent knows of what was revoked: two maps in memory, asked on every call.
import type { Principal } from '../principal.ts'
import {
  type Clock,
  type EpochSeconds,
  type FeedEntry,
  type ReachQuestion,
  type Result,
  type RevokedEntry,
} from '../protocol/index.ts'
import type { CredentialRefusal, TooManyRefusal } from '../refusal.ts'
import { createWaitingList } from '../waiting-list.ts'

export type RevocationView = {
  /** Takes up what the feed says. */
  apply(entries: readonly FeedEntry[]): void
  /** A snapshot begins: what was known before goes on counting until the snapshot is complete. */
  beginSnapshot(): void
  /** Everything until now was heard: the snapshot is complete, or nothing came and nothing is missing. */
  heard(): void
  /** Nothing is heard any more, until `heard` is called again. */
  lost(): void
  /** Has a listener told of everything from now on. */
  listen(listener: FeedListener): void
  /** Whether the feed is there, and was heard in the last 15 seconds: three heartbeats. */
  readonly isLive: boolean
  /** When everything until then was heard; `undefined` before the first time, or when there is too much to know. */
  readonly heardAt: EpochSeconds | undefined
  /** Whether something that the caller stands on is denied. */
  isDenied(principal: Principal): boolean
  /** Calls back, once, when the caller is denied, unless the function that it returns is called before. */
  watch(principal: Principal, onDenied: OnDenied, recheck?: Recheck): () => void
  /** Those that are watched and can be asked about. */
  listWatched(): readonly Watched[]
  /** How many of those that are watched would be denied by these, which need not be known. */
  countWatched(denied: Pick<ReachQuestion, 'grants' | 'agents'>): number
  /** Entries that are known. */
  readonly size: number
}

/** Told why; without a reason by what the feed said. */
export type OnDenied = (refusal?: CredentialRefusal) => void

/** Asks whether a caller may still go on. */
export type Recheck = () => Promise<Result<Principal, CredentialRefusal | TooManyRefusal>>

/** A caller that is watched. `deny` calls back whoever watches, unless that was done or is not wanted any more. */
export type Watched = {
  readonly recheck: Recheck
  readonly deny: (refusal: CredentialRefusal) => void
}

/** Hears what the feed says in the moment in which it is said. */
export type FeedListener = {
  onEntries(entries: readonly FeedEntry[]): void
  /** Something may have been missed: the feed was lost, or tells everything anew. */
  onGap(): void
  /** The feed is there again, for the first time or after a gap, and everything until now was heard. */
  onCaughtUp?(): void
}

export type RevocationViewOptions = {
  readonly clock: Clock
  /** Beyond this the view is no longer relied on: every caller is asked about. Default 1,000,000. */
  readonly maxEntries?: number | undefined
}

/** How old the last word may be for the feed to be live. */
const LIVE_SECONDS = 15

/** What ends in the same span of time is forgotten together. */
const SWEEP_SECONDS = 60

/** What is known of one kind. Nothing but ids and moments: there may be a million of them. */
type Known = {
  readonly until: Map<string, EpochSeconds>
  /** Ids by the span in which they end. */
  readonly endings: Map<number, string[]>
}

type Memory = { readonly grants: Known; readonly agents: Known }

type Watcher = {
  readonly principal: Principal
  readonly onDenied: OnDenied
  readonly recheck: Recheck | undefined
}

/** Creates an empty view. */
export function createRevocationView(options: RevocationViewOptions): RevocationView {
  const { clock } = options
  const maxEntries = options.maxEntries ?? 1_000_000
  let memory = createMemory()
  let incoming: Memory | undefined
  let heardAt: EpochSeconds | undefined
  let isFollowed = false
  const watchers = createWaitingList<Watcher>()
  const listeners: FeedListener[] = []

  /** Who was looked for last and was not denied, as long as nothing was added: the calls of a batch follow each other. */
  let clear: Principal | undefined

  function isDenied(principal: Principal): boolean {
    if (principal === clear) return false
    if (isNamed(principal)) return true
    clear = principal
    return false
  }

  function isNamed({ agentId, grantPath, priorActors, subject }: Principal): boolean {
    const { agents, grants } = memory
    for (const id of grantPath) if (grants.until.has(id)) return true
    const { until } = agents
    if (until.size === 0) return false
    return until.has(agentId) || until.has(subject) || priorActors.some((id) => until.has(id))
  }

  function add(target: Memory, { expiresAt, id, kind }: RevokedEntry): void {
    const { endings, until } = kind === 'grant' ? target.grants : target.agents
    const before = until.get(id)
    if (before !== undefined && before >= expiresAt) return
    clear = undefined
    until.set(id, expiresAt)
    const span = Math.floor(expiresAt / SWEEP_SECONDS)
    const ending = endings.get(span)
    if (ending === undefined) endings.set(span, [id])
    else ending.push(id)
  }

  function getHeardAt(): EpochSeconds | undefined {
    return count(memory) > maxEntries ? undefined : heardAt
  }

  function noteGap(): void {
    isFollowed = false
    for (const listener of listeners) listener.onGap()
  }

  return {
    apply(entries) {
      const now = clock.now()
      for (const listener of listeners) listener.onEntries(entries)
      const live = entries.filter(isRevoked).filter(({ expiresAt }) => expiresAt > now)
      for (const entry of live) {
        add(memory, entry)
        if (incoming !== undefined) add(incoming, entry)
      }
      sweep(memory, now)
      if (live.length === 0) return
      watchers.forEach(({ onDenied, principal }, leave) => {
        if (isDenied(principal) && leave()) onDenied()
      })
    },

    beginSnapshot() {
      incoming = createMemory()
      noteGap()
    },

    heard() {
      if (incoming !== undefined) {
        memory = incoming
        clear = undefined
        incoming = undefined
      }
      heardAt = clock.now()
      sweep(memory, heardAt)
      if (isFollowed) return
      isFollowed = true
      for (const listener of listeners) listener.onCaughtUp?.()
    },

    lost: noteGap,

    listen(listener) {
      listeners.push(listener)
    },

    get isLive() {
      const at = getHeardAt()
      return isFollowed && at !== undefined && clock.now() - at <= LIVE_SECONDS
    },

    get heardAt() {
      return getHeardAt()
    },

    isDenied,

    watch(principal, onDenied, recheck) {
      const leave = watchers.add({ principal, onDenied, recheck })
      // Denied between the check and the watch, the caller would be told by no entry any more.
      if (isDenied(principal)) queueMicrotask(() => leave() && onDenied())
      return leave
    },

    listWatched() {
      const watched: Watched[] = []
      watchers.forEach(({ onDenied, recheck }, leave) => {
        if (recheck === undefined) return
        watched.push({
          recheck,
          deny(refusal) {
            if (leave()) onDenied(refusal)
          },
        })
      })
      return watched
    },

    countWatched(denied) {
      const grants = new Set(denied.grants)
      const agents = new Set(denied.agents)
      const standsOn = ({ agentId, grantPath, priorActors, subject }: Principal): boolean =>
        grantPath.some((id) => grants.has(id)) ||
        [agentId, subject, ...priorActors].some((id) => agents.has(id))
      let count = 0
      watchers.forEach(({ principal }) => {
        if (standsOn(principal)) count += 1
      })
      return count
    },

    get size() {
      return count(memory)
    },
  }
}

function isRevoked(entry: FeedEntry): entry is RevokedEntry {
  return entry.kind !== 'change'
}

function createMemory(): Memory {
  return {
    grants: { until: new Map(), endings: new Map() },
    agents: { until: new Map(), endings: new Map() },
  }
}

function count({ agents, grants }: Memory): number {
  return agents.until.size + grants.until.size
}

/** Forgets what has ended. Spans, not entries, are looked at. */
function sweep({ agents, grants }: Memory, now: EpochSeconds): void {
  const present = Math.floor(now / SWEEP_SECONDS)
  for (const { endings, until } of [grants, agents]) {
    for (const [span, ids] of endings) {
      if (span >= present) continue
      endings.delete(span)
      for (const id of ids) {
        const expiresAt = until.get(id)
        if (expiresAt !== undefined && expiresAt <= now) until.delete(id)
      }
    }
  }
}
