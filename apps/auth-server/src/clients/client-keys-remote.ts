// Remembers the keys that clients publish at a URL: fetched when they are needed and old, or when one is
// named that is not among them; at most once per cool-down and URL; kept when they cannot be had again.
import type { Clock, EpochSeconds, PublicJwk } from '@deputy/auth/protocol'
import type { FetchJwks } from './client-keys-fetch.ts'

/** The keys of a client that fit, and why there may be more that nobody could fetch. */
export type RemoteKeys = {
  readonly keys: readonly PublicJwk[]
  /** Of the last fetch, when that failed; for the operator. */
  readonly fault: string | undefined
}

export type RemoteClientKeys = {
  /** Finds the published keys that fit. Never rejects: a client that cannot be asked has no keys. */
  find(uri: string, fits: (key: PublicJwk) => boolean): Promise<RemoteKeys>
}

export type RemoteClientKeysOptions = {
  readonly fetchJwks: FetchJwks
  readonly clock: Clock
  /** After this the keys are fetched again. Default 600. */
  readonly maxAgeSeconds?: number | undefined
  /** After a fetch, good or not, how long there is no other one. Default 30. */
  readonly cooldownSeconds?: number | undefined
  /** How long keys are used that cannot be fetched again. Default 86,400. */
  readonly maxStaleSeconds?: number | undefined
  /** Clients whose keys are remembered. Default 1,000. */
  readonly maxClients?: number | undefined
}

type Entry = {
  keys: readonly PublicJwk[]
  fetchedAt: EpochSeconds | undefined
  triedAt: EpochSeconds | undefined
  fault: string | undefined
  pending: Promise<void> | undefined
}

/** Creates the memory. */
export function createRemoteClientKeys(options: RemoteClientKeysOptions): RemoteClientKeys {
  const { clock, fetchJwks } = options
  const maxAgeSeconds = options.maxAgeSeconds ?? 600
  const cooldownSeconds = options.cooldownSeconds ?? 30
  const maxStaleSeconds = options.maxStaleSeconds ?? 86_400
  const maxClients = options.maxClients ?? 1000
  // Oldest use first.
  const entries = new Map<string, Entry>()

  function open(uri: string): Entry {
    const entry = entries.get(uri) ?? {
      keys: [],
      fetchedAt: undefined,
      triedAt: undefined,
      fault: undefined,
      pending: undefined,
    }
    entries.delete(uri)
    entries.set(uri, entry)
    const [oldest] = entries.keys()
    if (entries.size > maxClients && oldest !== undefined) entries.delete(oldest)
    return entry
  }

  async function load(entry: Entry, uri: string): Promise<void> {
    try {
      entry.keys = await fetchJwks(uri)
      entry.fetchedAt = clock.now()
      entry.fault = undefined
    } catch (error) {
      entry.fault = error instanceof Error ? error.message : 'the keys cannot be had'
    }
    entry.pending = undefined
  }

  /** Fetches, unless that was tried a moment ago; whoever asks meanwhile waits for the same answer. */
  async function refresh(entry: Entry, uri: string): Promise<void> {
    if (entry.pending === undefined) {
      const now = clock.now()
      // Attack prevented: a flood of invented key ids that this server turns into a flood of requests.
      if (entry.triedAt !== undefined && now - entry.triedAt < cooldownSeconds) return
      entry.triedAt = now
      entry.pending = load(entry, uri)
    }
    await entry.pending
  }

  function age({ fetchedAt }: Entry): number {
    return fetchedAt === undefined ? Number.POSITIVE_INFINITY : clock.now() - fetchedAt
  }

  return Object.freeze({
    async find(uri: string, fits: (key: PublicJwk) => boolean) {
      const entry = open(uri)
      if (age(entry) >= maxAgeSeconds) await refresh(entry, uri)
      const select = (): readonly PublicJwk[] =>
        age(entry) < maxStaleSeconds ? entry.keys.filter(fits) : []
      if (select().length === 0) await refresh(entry, uri)
      return { keys: select(), fault: entry.fault }
    },
  })
}
