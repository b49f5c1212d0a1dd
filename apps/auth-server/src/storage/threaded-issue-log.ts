// The issue log on a SQLite file. A thread of its own chains and writes, so that the server goes on while
// the disk works; it takes turns with whoever else writes here, and has a chain of its own.
import type { Clock } from '@deputy/auth/protocol'
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

type Waiting = {
  readonly issue: SentIssue
  readonly resolve: (outcome: IssueOutcome) => void
  readonly reject: (error: unknown) => void
}

/** Creates the log. */
export function createThreadedIssueLog(options: ThreadedIssueLogOptions): ClosableIssueLog {
  const { clock, db, lendWriter, onWritten, thread } = options
  const waiting: Waiting[] = []
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
    try {
      const start = await begin()
      const result = await lendWriter(async () => {
        // Only now: whoever came until the turn came shares it.
        batch = waiting.splice(0, MAX_BATCH)
        return thread.commit({ at: clock.now(), issues: batch.map(({ issue }) => issue), start })
      })
      if (result.head !== undefined) {
        isBegun = true
        head = result.head
        onWritten()
      }
      for (const [place, { resolve }] of batch.entries()) {
        resolve(result.outcomes[place] ?? 'outdated')
      }
    } catch (error) {
      isBegun = false
      if (batch.length === 0) batch = waiting.splice(0, MAX_BATCH)
      for (const { reject } of batch) reject(error)
    }
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) await writeBatch()
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
