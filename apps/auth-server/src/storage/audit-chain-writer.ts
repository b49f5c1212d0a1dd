// The chain of this run of the server. Appending happens inside of a transaction that may still fail:
// a link is provisional until whoever asked for it has seen the commit.
import type { Clock } from '@deputy/auth/protocol'
import type { Transaction } from 'kysely'
import { randomBytes } from 'node:crypto'
import type { TrailEvent } from '../audit/audit-event.ts'
import { chainEvent, createEmptyHead, type ChainedEvent, type ChainHead } from '../audit/chain.ts'
import { createStartEvent } from '../audit/trail-entries.ts'
import { findHead, findUnnamedHeads } from './audit-heads.ts'
import { createInsertEntries } from './audit-insert.ts'
import type { Tables } from './tables.ts'

/** Entries that are written, but not yet known to be on disk. */
export type PendingLink = {
  /** The transaction is on disk. */
  confirm(): void
  /** It failed, or nobody knows. */
  abandon(): void
}

export type ChainWriter = {
  /** Writes entries in a transaction, after all that were appended before. */
  append(transaction: Transaction<Tables>, events: readonly TrailEvent[]): Promise<PendingLink>
  /** The newest entry that is known to be on disk. */
  confirmedHead(): ChainHead | undefined
}

export type ChainWriterOptions = {
  readonly clock: Clock
  /** Default: random. */
  readonly createWriterId?: (() => string) | undefined
}

/** A writer: its head in the newest transaction, and how many of its links are pending. */
type Writer = { head: ChainHead; pending: number; isBroken: boolean }

/** Creates the writer. It writes nothing before the first entry. */
export function createChainWriter(options: ChainWriterOptions): ChainWriter {
  const { clock } = options
  const createWriterId = options.createWriterId ?? (() => randomBytes(12).toString('base64url'))
  const insert = createInsertEntries()
  let current: Writer | undefined
  let confirmed: ChainHead | undefined

  /**
   * Whether the chain may go on where it stopped. A link that is pending belongs to this transaction,
   * or to one whose end was not seen yet: then its entry must be visible from here.
   */
  async function isContinued(transaction: Transaction<Tables>, writer: Writer): Promise<boolean> {
    if (writer.isBroken) return false
    if (writer.pending === 0) return true
    const head = await findHead(transaction, writer.head.writerId)
    return head?.hash === writer.head.hash
  }

  return {
    confirmedHead: () => confirmed,

    async append(transaction, events) {
      const isGoingOn = current !== undefined && (await isContinued(transaction, current))
      // A writer whose commit failed is never continued: what became of its last entries is not known.
      const writer: Writer =
        current !== undefined && isGoingOn
          ? current
          : { head: createEmptyHead(createWriterId()), pending: 0, isBroken: false }
      const starting = isGoingOn
        ? []
        : [createStartEvent(writer.head.writerId, await findUnnamedHeads(transaction))]
      const at = clock.now()
      let { head } = writer
      const entries: ChainedEvent[] = []
      for (const event of [...starting, ...events]) {
        const entry = chainEvent(event, head, at)
        head = { writerId: head.writerId, seq: entry.seq, hash: entry.hash }
        entries.push(entry)
      }
      await insert(transaction, entries)
      // Only now: an insertion that failed has written nothing, and the chain stands where it stood.
      writer.head = head
      writer.pending += 1
      current = writer
      return {
        confirm() {
          writer.pending -= 1
          if (writer === current) confirmed = head
        },
        abandon() {
          writer.pending -= 1
          writer.isBroken = true
        },
      }
    },
  }
}
