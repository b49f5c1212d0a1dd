// The issuer's public keys over HTTP: fetched once for any number of callers, looked after while they are
// used, and kept while the issuer cannot be asked. An issuer that throws a key away at once is heard within
// two minutes (docs/adr/0009).
import type { KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import * as z from 'zod'
import { systemClock, timeoutSignal, type Clock, type EpochSeconds } from '../protocol/index.ts'
import {
  createIssuerDiscovery,
  DEFAULT_ISSUER_TIMEOUT_MS,
  type IssuerDiscoveryOptions,
} from './issuer-discovery.ts'
import { createIssuerRequests, READ_RARELY, readDocument } from './issuer-request.ts'
import {
  createKeyFinder,
  SigningKeysUnavailableError,
  type PublishedKeys,
  type SigningKeySource,
  type WantedKey,
} from './signing-key-source.ts'

export type RemoteSigningKeysOptions = IssuerDiscoveryOptions & {
  /**
   * After a fetch, how long age causes no other one. Unknown key ids cause three at once, then one in so long; the same
   * one none again within it. Default 30.
   */
  readonly cooldownSeconds?: number | undefined
  /** From which age on the keys are fetched again, beside their use. Default 60. */
  readonly refreshAfterSeconds?: number | undefined
  /** From which age on they are not used before a fetch was tried. Default 120. */
  readonly distrustAfterSeconds?: number | undefined
  readonly clock?: Clock | undefined
}

/** A source whose keys may come and go. */
export type RemoteSigningKeys = SigningKeySource & {
  /**
   * Called before something is relied on that was verified earlier. What it answers is waited for:
   * nothing, mostly; a fetch, where the keys have not been looked at for long. Never rejects.
   */
  readonly keepFresh: () => Promise<void> | undefined
  /** Goes up whenever a key leaves the set: what was verified before may rest on that key. */
  readonly removals: () => number
  /** Fetches the keys before anybody needs them. Never throws: what failed is tried again with the first token. */
  readonly prefetch: () => void
  /**
   * Fetches the keys now, however lately they were fetched or looked for: the issuer says that they have changed. Never
   * throws.
   */
  readonly refetch: () => void
}

/** Fetches for unknown key ids that need not wait for each other. */
const LOOKS_AT_ONCE = 3

/** Key ids that are remembered as unknown. No more come in within a cool-down. */
const MAX_MISSING = 100

const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) })

type Held = {
  readonly keys: PublishedKeys['keys']
  readonly find: (wanted: WantedKey) => KeyObject | undefined
  readonly fetchedAt: EpochSeconds
  /** Of the fetch that brought them: one more than that of the fetch before. */
  readonly fetchNumber: number
}

/**
 * Serves keys from the issuer's JWKS, found through its metadata (RFC 8414) on first use. Rejects with
 * `SigningKeysUnavailableError` when the issuer cannot be asked and there are no keys yet, or not the one that is wanted;
 * with that at hand an outage is not noticed, however long.
 */
export function createRemoteSigningKeySource(
  issuer: string,
  options: RemoteSigningKeysOptions = {},
): RemoteSigningKeys {
  const { clock = systemClock, cooldownSeconds = 30 } = options
  const { distrustAfterSeconds = 120, refreshAfterSeconds = 60 } = options
  const timeoutMs = options.timeoutMs ?? DEFAULT_ISSUER_TIMEOUT_MS
  const send = createIssuerRequests(options.fetch)
  const discover = createIssuerDiscovery(issuer, options)
  let held: Held | undefined
  let triedAt: EpochSeconds | undefined
  let underWay: Promise<Held> | undefined
  /** Of the last fetch, if it failed. */
  let fault: unknown
  /** Fetches that were begun. */
  let fetches = 0
  let removals = 0
  /** When what was fetched for unknown keys is paid for, at one a cool-down. */
  let paidAt: EpochSeconds = 0
  /** Key ids that a fetch did not bring, until when they are not looked for again. */
  const missing = new LRUCache<string, EpochSeconds>({ max: MAX_MISSING })

  async function download(): Promise<Held> {
    fetches += 1
    const fetchNumber = fetches
    const { jwks_uri: uri } = await discover()
    const answer = await send(uri, {
      signal: timeoutSignal(clock, timeoutMs),
      headers: { accept: 'application/jwk-set+json, application/json' },
    })
    const set = KeySet.parse(await readDocument(answer, uri), READ_RARELY)
    const find = createKeyFinder(set)
    const fetchedAt = clock.now()
    const fetched = { keys: set.keys, find, fetchedAt, fetchNumber }
    if (held === undefined) return fetched
    if (isSame(held.keys, set.keys)) return { ...held, fetchedAt, fetchNumber }
    if (hasLost(held.keys, set.keys)) removals += 1
    return fetched
  }

  /** One fetch at a time. Rejects with what was wrong; the keys at hand stay. */
  async function refresh(): Promise<Held> {
    triedAt = clock.now()
    underWay ??= download()
      .then((fetched) => {
        fault = undefined
        return (held = fetched)
      })
      .catch((cause: unknown) => {
        fault = cause
        throw cause
      })
      .finally(() => {
        underWay = undefined
      })
    return underWay
  }

  function mayRefresh(): boolean {
    return triedAt === undefined || clock.now() - triedAt >= cooldownSeconds
  }

  function keepFresh(): Promise<void> | undefined {
    if (held === undefined) return undefined
    const ageSeconds = clock.now() - held.fetchedAt
    if (ageSeconds < refreshAfterSeconds) return undefined
    const isDistrusted = ageSeconds >= distrustAfterSeconds
    if (!mayRefresh()) return isDistrusted ? settle(underWay) : undefined
    const refreshed = settle(refresh())
    return isDistrusted ? refreshed : undefined
  }

  /**
   * Attack prevented: made-up key ids, each of which would be a fetch. A few at once, so that a key which signs from one
   * moment to the next is found however lately the others were fetched; then one a cool-down, and none twice.
   */
  function mayLookFor(kid: string): boolean {
    const now = clock.now()
    if ((missing.get(kid) ?? 0) > now) return false
    if (paidAt - now > (LOOKS_AT_ONCE - 1) * cooldownSeconds) return false
    paidAt = Math.max(paidAt, now) + cooldownSeconds
    return true
  }

  const find: SigningKeySource = async (wanted) => {
    const { kid = '' } = wanted
    const before = fetches
    await keepFresh()
    let known = held ?? (await refreshOrExplain())
    let key = known.find(wanted)
    // What was fetched since this token came is as new as a look of its own would be. A fetch that was under way before
    // may have been answered before the issuer signed with the key.
    while (key === undefined && known.fetchNumber <= before) {
      if (underWay === undefined && !mayLookFor(kid)) {
        // Nobody knows: the key may be there since.
        if (fault !== undefined) throw unavailable(fault)
        return undefined
      }
      known = await refreshOrExplain()
      key = known.find(wanted)
      if (key === undefined && known.fetchNumber > before) {
        missing.set(kid, clock.now() + cooldownSeconds)
      }
    }
    return key
  }

  async function refreshOrExplain(): Promise<Held> {
    try {
      return await refresh()
    } catch (cause) {
      throw unavailable(cause)
    }
  }

  function unavailable(cause: unknown): SigningKeysUnavailableError {
    return new SigningKeysUnavailableError(`cannot read the keys of ${issuer}`, { cause })
  }

  function prefetch(): void {
    if (held === undefined) void settle(refresh())
  }

  function refetch(): void {
    // What is under way may have been answered before the change.
    void settle(underWay).then(async () => settle(refresh()))
  }

  return Object.assign(find, { keepFresh, removals: () => removals, prefetch, refetch })
}

async function settle(work: Promise<unknown> | undefined): Promise<void> {
  try {
    await work
  } catch {
    // The keys at hand go on to count: an issuer that is down throws nobody out.
  }
}

function isSame(before: PublishedKeys['keys'], after: PublishedKeys['keys']): boolean {
  return before.length === after.length && !hasLost(before, after)
}

/** Whether a key is gone, or is another one under the same name. */
function hasLost(before: PublishedKeys['keys'], after: PublishedKeys['keys']): boolean {
  const left = new Set(after.map((key) => JSON.stringify(key)))
  return before.some((key) => !left.has(JSON.stringify(key)))
}
