// The issue log on a SQLite file. A thread of its own chains and writes, so that the server goes on while
// the disk works; it takes turns with whoever else writes here, and has a chain of its own.
import type { Clock, EpochSeconds } from '@deputy/auth/protocol'
import type { Database } from '@deputy/storage'
import { randomBytes } from 'node:crypto'
import type { ChainHead } from '../audit/chain.ts'
import { createStartEvent } from '../audit/trail-entries.ts'
import type { Issue, IssueLog, IssueOutcome } from '../tokens/issue-log.ts'
import { findUnnamedHeads } from './audit-heads.ts'
import { toGrantRow } from './grant-store.ts'
import type { IssueBatch, SentIssue } from './issue-batch.ts'
import type { IssueThread } from './issue-thread.ts'
import type { Tables } from './tables.ts'

export type ThreadedIssueLogOptions = {
  readonly db: Database<Tables>['db']
  readonly lendWriter: NonNullable<Database<Tables>['lendWriter']>
  readonly thread: IssueThread
  readonly clock: Clock
  /** Told after each commit with entries. */
  readonly onWritten: () => void
}

export type ClosableIssueLog = IssueLog & {
  /** The newest entry that is known to be on disk, where the log has a chain of its own. */
  head(): ChainHead | undefined
  /** Waits for what is under way. */
  close(): Promise<void>
}

/** Issues in one commit, at most: bounds how long the first one waits for the last. */
const MAX_BATCH = 256

type Touch = {
  readonly uses: ReadonlyMap<string, EpochSeconds>
  readonly isWritten: PromiseWithResolvers<void>
}

type Waiting = {
  readonly issue: SentIssue
  readonly resolve: (outcome: IssueOutcome) => void
  readonly reject: (error: unknown) => void
}

/** Creates the log. */
export function createThreadedIssueLog(options: ThreadedIssueLogOptions): ClosableIssueLog {
  const { clock, db, lendWriter, onWritten, thread } = options
  const waiting: Waiting[] = []
  const touching: Touch[] = []
  let writing: Promise<void> | undefined
  let head: ChainHead | undefined
  /** Whether the thread has a chain to go on with. A chain whose commit failed is never continued. */
  let isBegun = false

  async function begin(): Promise<IssueBatch['start']> {
    if (isBegun) return undefined
    const writerId = randomBytes(12).toString('base64url')
    return { writerId, event: createStartEvent(writerId, await findUnnamedHeads(db)) }
  }

  async function writeBatch(): Promise<void> {
    let batch: readonly Waiting[] = []
    let touch: Touch | undefined
    let isTaken = false
    const take = (): void => {
      batch = waiting.splice(0, MAX_BATCH)
      touch = touching.shift()
      isTaken = true
    }
    try {
      const start = await begin()
      const result = await lendWriter(async () => {
        // Only now: whoever came until the turn came shares it.
        take()
        return thread.commit({
          at: clock.now(),
          issues: batch.map(({ issue }) => issue),
          uses: touch?.uses ?? new Map(),
          start,
        })
      })
      if (result.head !== undefined) {
        isBegun = true
        head = result.head
        onWritten()
      }
      touch?.isWritten.resolve()
      for (const [place, { resolve }] of batch.entries()) {
        resolve(result.outcomes[place] ?? 'outdated')
      }
    } catch (error) {
      isBegun = false
      // Where no turn came, nobody has been taken yet.
      if (!isTaken) take()
      touch?.isWritten.reject(error)
      for (const { reject } of batch) reject(error)
    }
  }

  async function writeAll(): Promise<void> {
    while (waiting.length + touching.length > 0) await writeBatch()
    writing = undefined
  }

  return {
    head: () => head,
    async write(issue) {
      return new Promise((resolve, reject) => {
        waiting.push({ issue: toSent(issue), resolve, reject })
        writing ??= writeAll()
      })
    },
    async touchSecrets(uses) {
      const isWritten = Promise.withResolvers<void>()
      touching.push({ uses, isWritten })
      writing ??= writeAll()
      return isWritten.promise
    },
    async close() {
      await writing
      await thread.close()
    },
  }
}

function toSent({ basis, event, node }: Issue): SentIssue {
  if (node === undefined) return { event, basis, node }
  return {
    event,
    basis,
    node: {
      columns: Object.values(toGrantRow(node)),
      grantIds: node.grantPath,
      agentIds: [node.subjectId, ...node.actors],
    },
  }
}
