// Writes the trail: entries of one moment in one commit, and an act together with its entries.
import type { Clock } from '@deputy/auth/protocol'
import type { Database } from '@deputy/storage'
import type { Transaction } from 'kysely'
import type { AuditEvent, TrailEvent } from '../audit/audit-event.ts'
import type { AuditLog } from '../audit/audit-log.ts'
import { boundEvent } from '../audit/bound-event.ts'
import type { ChainHead } from '../audit/chain.ts'
import { createChainWriter, type PendingLink } from './audit-chain-writer.ts'
import type { Tables } from './tables.ts'

export type AuditWriterOptions = {
  readonly database: Pick<Database<Tables>, 'commit'>
  readonly clock: Clock
  /** Default: random. */
  readonly createWriterId?: (() => string) | undefined
}

/** Work in a transaction, with a way to say what is to be written down of it. */
export type AuditedWork<Value, Event> = (
  transaction: Transaction<Tables>,
  note: (event: Event) => void,
) => Promise<Value>

export type AuditWriter = AuditLog & {
  /** Commits work together with the entries that it noted: all of it is on disk, or nothing. */
  act<Value>(work: AuditedWork<Value, AuditEvent>): Promise<Value>
  /** The same for the trail itself, whose events are taken as they are. */
  actAsTrail<Value>(work: AuditedWork<Value, TrailEvent>): Promise<Value>
  /** Calls back after each commit with entries, until the function that it returns is called. */
  onAppend(listener: () => void): () => void
  /** Calls them back for entries that were written otherwise. */
  tellAppended(): void
  confirmedHead(): ChainHead | undefined
}

/** Entries in one commit, at most. */
const MAX_GROUP = 256

type Waiting = PromiseWithResolvers<void> & { readonly event: TrailEvent }

/** Creates the writer. */
export function createAuditWriter(options: AuditWriterOptions): AuditWriter {
  const { database } = options
  const chain = createChainWriter(options)
  const listeners = new Set<() => void>()
  const waiting: Waiting[] = []
  let isWriting = false

  function tellAppended(): void {
    for (const listener of listeners) listener()
  }

  async function actAsTrail<Value>(work: AuditedWork<Value, TrailEvent>): Promise<Value> {
    let link: PendingLink | undefined
    let value: Value
    try {
      value = await database.commit(async (transaction) => {
        const events: TrailEvent[] = []
        const done = await work(transaction, (event) => events.push(event))
        if (events.length > 0) link = await chain.append(transaction, events)
        return done
      })
    } catch (error) {
      link?.abandon()
      throw error
    }
    if (link === undefined) return value
    link.confirm()
    tellAppended()
    return value
  }

  async function writeWaiting(): Promise<void> {
    isWriting = true
    while (waiting.length > 0) {
      let group: readonly Waiting[] = []
      try {
        await actAsTrail(async (_transaction, note) => {
          // Only now: whoever came until the transaction began shares it. Taken once, should it run again.
          if (group.length === 0) group = waiting.splice(0, MAX_GROUP)
          for (const { event } of group) note(event)
        })
        for (const { resolve } of group) resolve()
      } catch (error) {
        // Where no transaction could begin, nobody has been taken yet.
        if (group.length === 0) group = waiting.splice(0, MAX_GROUP)
        for (const { reject } of group) reject(error)
      }
    }
    isWriting = false
  }

  return {
    actAsTrail,
    tellAppended,
    confirmedHead: () => chain.confirmedHead(),

    act: async (work) =>
      actAsTrail(async (transaction, note) =>
        work(transaction, (event) => note(boundEvent(event))),
      ),

    async record(event) {
      const entry = { ...Promise.withResolvers<void>(), event: boundEvent(event) }
      waiting.push(entry)
      if (!isWriting) void writeWaiting()
      return entry.promise
    },

    onAppend(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
