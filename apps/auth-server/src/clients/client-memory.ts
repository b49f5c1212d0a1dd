// Remembers agents and secrets, so that the path of a token asks no database for what it asked a moment
// ago. What is remembered may be outdated at any moment: whoever decides by it has the version checked by
// the commit that writes the decision down (`IssueLog`), and decides anew where it has changed. So nobody has
// to tell a server of a change, and no server can miss one.
import type { Agent } from '../agents/agent.ts'
import type {
  AuthorityVersion,
  ClientDirectory,
  KnownSecret,
  Versioned,
  VersionedClientDirectory,
} from './client-directory.ts'

/** Agents that are remembered at most, and as many secrets: some 2 KB each. */
const MAX_REMEMBERED = 10_000

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
}

export type ClientMemoryOptions = {
  readonly clients: ClientDirectory
  readonly versioned: VersionedClientDirectory
  readonly maxRemembered?: number | undefined
}

/** No database has it: a basis of two versions is never current. */
const NO_VERSION = -1

/** Creates the memory of one server. */
export function createClientMemory(options: ClientMemoryOptions): ClientMemory {
  const { clients, maxRemembered = MAX_REMEMBERED, versioned } = options
  let version: AuthorityVersion = NO_VERSION
  const secrets = new Map<string, KnownSecret>()
  const agents = new Map<string, Agent>()

  function remember<Value>(
    known: Map<string, Value>,
    key: string,
    found: Versioned<Value> | undefined,
  ): void {
    // Who is not there is asked for again: nothing has to be forgotten when somebody is enrolled.
    if (found === undefined || found.version < version) return
    if (found.version > version) {
      secrets.clear()
      agents.clear()
      version = found.version
    }
    if (known.size >= maxRemembered) forgetOldest(known)
    known.set(key, found.value)
  }

  function open(): ClientView {
    let basis: AuthorityVersion | undefined

    function rest(on: AuthorityVersion): void {
      basis = basis === undefined || basis === on ? on : NO_VERSION
    }

    async function look<Value>(
      known: Map<string, Value>,
      key: string,
      ask: () => Promise<Versioned<Value> | undefined>,
    ): Promise<Value | undefined> {
      const remembered = known.get(key)
      if (remembered !== undefined) {
        rest(version)
        return remembered
      }
      const found = await ask()
      remember(known, key, found)
      if (found !== undefined) rest(found.version)
      return found?.value
    }

    const find = async (id: string): Promise<Agent | undefined> =>
      look(agents, id, async () => versioned.find(id))
    return {
      basis: () => basis,
      isCurrent: async () => basis === undefined || basis === (await versioned.version()),
      find,
      // By the whole hash: a secret that is wrong in one character is asked for as an unknown one is.
      findBySecret: async (hash) =>
        look(secrets, toKey(hash), async () => versioned.findBySecret(hash)),
      async findMany(ids) {
        const found: Agent[] = []
        for (const id of new Set(ids)) {
          const agent = await find(id)
          if (agent !== undefined) found.push(agent)
        }
        return found
      },
    }
  }

  return {
    open,
    openFresh: () => ({ ...clients, basis: () => undefined, isCurrent: async () => true }),
  }
}

function toKey(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('latin1')
}

function forgetOldest(known: Map<string, unknown>): void {
  for (const key of known.keys()) {
    known.delete(key)
    return
  }
}
