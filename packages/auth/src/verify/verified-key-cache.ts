// Remembers API keys that the authorization server vouched for, for as long as its feed would tell of their end
// (docs/adr/0022). Where the feed is not live nothing is trusted, and each call is asked about.
import pLimit from 'p-limit'
import { hash } from 'node:crypto'
import { createGrowingCache } from '../growing-cache.ts'
import type { Principal } from '../principal.ts'
import {
  isAgentSecret,
  refuse,
  accept,
  systemClock,
  type Clock,
  type EpochSeconds,
  type FeedEntry,
  type Result,
} from '../protocol/index.ts'
import { createWaitingList } from '../waiting-list.ts'
import type { RevocationView } from '../revocation/revocation-view.ts'
import { DEFAULT_CLOCK_TOLERANCE_SECONDS } from './access-token-verifier.ts'
import type { ApiKeyRefusal, ApiKeyVerifier } from './api-key-verifier.ts'
import { createUnknownKeyBudget } from './unknown-key-budget.ts'

export type VerifiedKeyCacheSettings = {
  /**
   * How long an answer counts, in seconds. Default 60, at most 300: what the feed does not tell of is seen by then.
   * 0 asks about each call.
   */
  readonly ttlSeconds?: number | undefined
  /** Keys at most, the least recently used of which make room; about 1 KiB each. Default 10,000. */
  readonly maxKeys?: number | undefined
}

export type VerifiedKeyCacheOptions = VerifiedKeyCacheSettings & {
  /** What the feed says. */
  readonly view: Pick<RevocationView, 'isDenied' | 'isLive' | 'listen'>
  readonly clock?: Clock | undefined
  /** How far clocks may differ: so long before its end a key is asked about each time. Default 5 seconds. */
  readonly clockToleranceSeconds?: number | undefined
}

/** A key that was good. After `trustedUntil` it is asked about again. */
type Known = { readonly principal: Principal; trustedUntil: EpochSeconds }

/** A question under way. */
type Inquiry = {
  /** Ids of what the feed said since: answers about them may be older than that. */
  readonly heard: Set<string>
  /** Whether something changed that may have made a bad key good. */
  hasChange: boolean
  /** Whether the feed was there all the time. */
  isCurrent: boolean
}

type Watcher = { readonly principal: Principal; readonly onChange: () => Promise<void> }

type Verified = Result<Principal, ApiKeyRefusal>

const TTL_SECONDS = 60
const MAX_TTL_SECONDS = 300
const MAX_KEYS = 10_000

/** How long a key that does not exist is not asked about again, in seconds, and how many of them are known. */
const BAD_SECONDS = 10
const MAX_BAD = 1000

/** Callers under way whose keys are asked about at once. The others wait for their turn. */
const MAX_RECHECKS = 16

/** Creates a verifier that asks the given one where it does not know. Throws `TypeError` for a TTL that is out of range. */
export function createVerifiedKeyCache(
  verifier: ApiKeyVerifier,
  options: VerifiedKeyCacheOptions,
): ApiKeyVerifier {
  const { clock = systemClock, ttlSeconds = TTL_SECONDS, view } = options
  const toleranceSeconds = options.clockToleranceSeconds ?? DEFAULT_CLOCK_TOLERANCE_SECONDS
  if (!(ttlSeconds >= 0 && ttlSeconds <= MAX_TTL_SECONDS)) {
    throw new TypeError(`ttlSeconds must be from 0 to ${String(MAX_TTL_SECONDS)}`)
  }
  const budget = createUnknownKeyBudget(clock)
  const inquiries = new Set<Inquiry>()
  /** Those that a call may wait for, by the hash of the key: begun since the feed last said something. */
  const shared = new Map<string, Promise<Verified>>()
  /** Hashes by the ids that their keys stand on. */
  const standing = new Map<string, Set<string>>()
  const good = createGrowingCache<Known>({
    max: options.maxKeys ?? MAX_KEYS,
    dispose: ({ principal }, id) => {
      for (const name of toNames(principal)) {
        const ids = standing.get(name)
        ids?.delete(id)
        if (ids?.size === 0) standing.delete(name)
      }
    },
  })
  /** By hash, until when. Apart from the good ones, so that a flood drives none of those out. */
  const bad = createGrowingCache<EpochSeconds>({ max: MAX_BAD })

  /** Callers under way. */
  const watchers = createWaitingList<Watcher>()
  // Thousands of streams that are asked about in one moment would be a flood, of which some would be refused, and end.
  const inTurn = pLimit(MAX_RECHECKS)

  view.listen({
    onEntries(entries) {
      if (entries.length === 0) return
      for (const { id: name } of entries) {
        for (const id of standing.get(name) ?? []) distrust(id)
        for (const inquiry of inquiries) inquiry.heard.add(name)
      }
      // Whoever calls from now on asks anew: the answers on their way may be older than this.
      shared.clear()
      if (!entries.some(isChange)) return
      forgetBad()
      const names = new Set(entries.filter(isChange).map(({ id }) => id))
      watchers.forEach(({ onChange, principal }) => {
        if (toNames(principal).some((name) => names.has(name))) void inTurn(onChange)
      })
    },
    onCaughtUp() {
      // Whatever was missed.
      watchers.forEach(({ onChange }) => {
        void inTurn(onChange)
      })
    },
    onGap() {
      for (const id of good.keys()) distrust(id)
      for (const inquiry of inquiries) inquiry.isCurrent = false
      shared.clear()
      forgetBad()
    },
  })

  /** Asks again next time. That the key was good once is still known: a flood of unknown ones does not delay it. */
  function distrust(id: string): void {
    const known = good.peek(id)
    if (known !== undefined) known.trustedUntil = 0
  }

  function forgetBad(): void {
    bad.clear()
    for (const inquiry of inquiries) inquiry.hasChange = true
  }

  function remember(id: string, principal: Principal, askedAt: EpochSeconds): Known {
    const { expiresAt = Number.POSITIVE_INFINITY } = principal
    const trustedUntil = Math.min(askedAt + ttlSeconds, expiresAt - toleranceSeconds)
    const known = { principal, trustedUntil }
    good.set(id, known)
    for (const name of toNames(principal)) {
      const ids = standing.get(name)
      if (ids === undefined) standing.set(name, new Set([id]))
      else ids.add(id)
    }
    return known
  }

  async function ask(key: string, id: string): Promise<Verified> {
    const askedAt = clock.now()
    const inquiry = { heard: new Set<string>(), hasChange: false, isCurrent: view.isLive }
    inquiries.add(inquiry)
    try {
      const answer = await verifier.verify(key)
      if (answer.ok) {
        const known = remember(id, answer.value, askedAt)
        // Attack prevented: a key that was ended while its answer, which says that it is good, was on its way.
        const isOutdated = toNames(answer.value).some((name) => inquiry.heard.has(name))
        if (isOutdated || !inquiry.isCurrent) known.trustedUntil = 0
        if (!view.isDenied(answer.value)) return answer
      }
      if (!answer.ok && answer.refusal.reason !== 'api_key_invalid') return answer
      good.delete(id)
      // Without the feed nobody would tell that it has become good.
      if (!inquiry.hasChange && inquiry.isCurrent) bad.set(id, askedAt + BAD_SECONDS)
      return refuse({ reason: 'api_key_invalid' })
    } finally {
      inquiries.delete(inquiry)
    }
  }

  async function askOfUnknown(key: string, id: string, from: () => string): Promise<Verified> {
    const entry = await budget.enter(from())
    if (!entry.ok) return entry
    let isBad = false
    try {
      const answer = await ask(key, id)
      isBad = !answer.ok && answer.refusal.reason === 'api_key_invalid'
      return answer
    } finally {
      entry.value.leave(isBad)
    }
  }

  async function share(id: string, answer: Promise<Verified>): Promise<Verified> {
    shared.set(id, answer)
    try {
      return await answer
    } finally {
      if (shared.get(id) === answer) shared.delete(id)
    }
  }

  return Object.freeze({
    async verify(key: string, from = unknownAddress) {
      // The text of a key is not kept: who reads the memory finds no credential.
      const id = hash('sha256', key, 'base64url')
      const known = good.get(id)
      const now = clock.now()
      if (
        known !== undefined &&
        now < known.trustedUntil &&
        view.isLive &&
        !view.isDenied(known.principal)
      ) {
        return accept(known.principal)
      }
      if (!isAgentSecret(key, 'apiKey')) return refuse({ reason: 'api_key_malformed' })
      if (view.isLive && (bad.get(id) ?? 0) > now) return refuse({ reason: 'api_key_invalid' })
      // Without the feed nobody can tell whether an answer that is on its way is still true.
      const underWay = view.isLive ? shared.get(id) : undefined
      if (underWay !== undefined) return underWay
      return share(id, known === undefined ? askOfUnknown(key, id, from) : ask(key, id))
    },

    watch: (principal: Principal, onChange: () => Promise<void>) =>
      watchers.add({ principal, onChange }),
  })
}

/** Whatever the feed may name: the key, its agent, and the agent that is called, whose scopes may change. */
function toNames({ agentId, audience, grantPath }: Principal): readonly string[] {
  return [...grantPath, agentId, audience]
}

function unknownAddress(): string {
  return 'unknown'
}

function isChange({ kind }: FeedEntry): boolean {
  return kind === 'change'
}
