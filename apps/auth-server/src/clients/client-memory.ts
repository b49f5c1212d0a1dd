// Remembers agents and secrets, so that the path of a token asks no database for what it asked a moment
// ago. What is remembered may be outdated at any moment: whoever decides by it has the version checked by
// the commit that writes the decision down (`IssueLog`), and decides anew where it has changed. So nobody has
// to tell a server of a change, and no server can miss one. What has changed is forgotten, and the rest stays.
import type {
  AuthorityVersion,
  Client,
  ClientDirectory,
  KnownSecret,
  Versioned,
  VersionedClientDirectory,
} from './client-directory.ts'
import { createSecretTable, type SecretChunk } from './secret-table.ts'

/** What the memory of secrets takes at most: some 130 bytes each, so those of a million agents. */
export const DEFAULT_MAX_MEMORY_BYTES = 160 << 20

/** Agents that tokens are for, which are remembered at most: some 2 KB each. */
const MAX_TARGETS = 10_000

/** Agents of which it is remembered that they changed: past that, everything is forgotten. */
const MAX_CHANGED = 100_000

/** The directory as one request sees it. */
export type ClientView = ClientDirectory & {
  /** What everything that was found rests on; `undefined` when it was read for this request. */
  basis(): AuthorityVersion | undefined
  /** Whether what was found is still true. For decisions that no commit checks. */
  isCurrent(): Promise<boolean>
}

export type ClientMemory = {
  /** Sees what is remembered. */
  open(): ClientView
  /** Sees the store alone, for what cannot be done twice. */
  openFresh(): ClientView
  /** Forgets what has changed since: called when a decision turned out to be outdated. */
  catchUp(): Promise<void>
  /** Remembers secrets that were read all together at this version. */
  learn(chunk: Versioned<SecretChunk>): Promise<void>
  /** Whether more can be learnt without forgetting anything. */
  hasRoom(): boolean
}

export type ClientMemoryOptions = {
  readonly clients: ClientDirectory
  readonly versioned: VersionedClientDirectory
  /** Default `DEFAULT_MAX_MEMORY_BYTES`. */
  readonly maxBytes?: number | undefined
  /** Agents that tokens are for. Default 10,000. */
  readonly maxTargets?: number | undefined
}

/** No database has it: a basis of two versions is never current. */
const NO_VERSION = -1

/** Creates the memory of one server. */
export function createClientMemory(options: ClientMemoryOptions): ClientMemory {
  const { clients, maxBytes = DEFAULT_MAX_MEMORY_BYTES, maxTargets = MAX_TARGETS } = options
  const { versioned } = options
  const secrets = createSecretTable(maxBytes)
  const targets = new Map<string, Client>()
  /** What is remembered is true at this version. */
  let version: AuthorityVersion = NO_VERSION
  /** From this version on, it is known who changed. */
  let since: AuthorityVersion = NO_VERSION
  /** Who changed, and at which version the last time: what was read of them before counts no more. */
  const changed = new Map<string, AuthorityVersion>()
  let catchingUp: Promise<void> | undefined

  function forgetAll(now: AuthorityVersion): void {
    secrets.clear()
    targets.clear()
    changed.clear()
    since = now
    version = now
  }

  async function readChanges(): Promise<void> {
    if (version === NO_VERSION) return
    const found = await versioned.changesSince(version)
    if (found.version <= version) return
    const { agentIds } = found
    if (agentIds === undefined || changed.size + agentIds.length > MAX_CHANGED) {
      forgetAll(found.version)
      return
    }
    for (const id of agentIds) {
      changed.set(id, found.version)
      targets.delete(id)
    }
    version = found.version
  }

  /** One at a time: who comes meanwhile may have seen what the one under way has not. */
  async function catchUp(): Promise<void> {
    const before = catchingUp?.catch(() => undefined)
    const own = before === undefined ? readChanges() : before.then(readChanges)
    catchingUp = own
    try {
      await own
    } finally {
      if (catchingUp === own) catchingUp = undefined
    }
  }

  /** Whether what was read at this version may be remembered, once all changes up to it are known. */
  async function isAcceptable(readAt: AuthorityVersion): Promise<boolean> {
    if (version === NO_VERSION) forgetAll(readAt)
    if (readAt > version) await catchUp()
    return readAt >= since && readAt <= version
  }

  function isOld(id: string, readAt: AuthorityVersion): boolean {
    return readAt < (changed.get(id) ?? NO_VERSION)
  }

  function rememberedSecret(hash: Uint8Array): KnownSecret | undefined {
    const found = secrets.find(hash)
    if (found === undefined) return undefined
    return isOld(found.value.agent.id, found.version) ? undefined : found.value
  }

  async function rememberSecret(hash: Uint8Array, found: Versioned<KnownSecret>): Promise<void> {
    if (found.version === version || (await isAcceptable(found.version))) secrets.add(hash, found)
  }

  async function rememberTarget(id: string, found: Versioned<Client>): Promise<void> {
    if (found.version !== version && !(await isAcceptable(found.version))) return
    if (isOld(id, found.version)) return
    // All at once: the oldest of a `Map` is found the later, the more that were before it are gone.
    if (targets.size >= maxTargets) targets.clear()
    targets.set(id, found.value)
  }

  function open(): ClientView {
    let basis: AuthorityVersion | undefined

    function rest(on: AuthorityVersion): void {
      basis = basis === undefined || basis === on ? on : NO_VERSION
    }

    async function find(id: string): Promise<Client | undefined> {
      const remembered = targets.get(id)
      if (remembered !== undefined) {
        rest(version)
        return remembered
      }
      const found = await versioned.find(id)
      // Who is not there is asked for again: nothing has to be forgotten when somebody is enrolled.
      if (found === undefined) return undefined
      rest(found.version)
      await rememberTarget(id, found)
      return found.value
    }

    return {
      basis: () => basis,
      isCurrent: async () => basis === undefined || basis === (await versioned.version()),
      find,
      // By the whole hash: a secret that is wrong in one character is asked for as an unknown one is.
      async findBySecret(hash) {
        const remembered = rememberedSecret(hash)
        if (remembered !== undefined) {
          rest(version)
          return remembered
        }
        const found = await versioned.findBySecret(hash)
        if (found === undefined) return undefined
        rest(found.version)
        await rememberSecret(hash, found)
        return found.value
      },
      async findMany(ids) {
        const found: Client[] = []
        for (const id of new Set(ids)) {
          const client = await find(id)
          if (client !== undefined) found.push(client)
        }
        return found
      },
    }
  }

  return {
    open,
    openFresh: () => ({ ...clients, basis: () => undefined, isCurrent: async () => true }),
    catchUp,
    async learn({ value, version: readAt }) {
      if (await isAcceptable(readAt)) secrets.adopt(value)
    },
    hasRoom: () => secrets.hasRoom(),
  }
}
