// The issue log on a SQLite file. A thread of its own chains and writes, so that the server goes on while
// the disk works; it takes turns with whoever else writes here, and has a chain of its own.
import type { Clock, EpochSeconds } from '@deputy/auth/protocol'
import type { Database } from '@deputy/storage'
import { randomBytes } from 'node:crypto'
import type { ChainHead } from '../audit/chain.ts'
import { createStartEvent } from '../audit/trail-entries.ts'
import { SIGNATURE_BYTES } from '../keys/sign-now.ts'
import type { SigningHandle } from '../keys/signer.ts'
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
  readonly handle: SigningHandle | undefined
  /** With the signature, where the thread was to sign and the outcome is `written`. */
  readonly resolve: (outcome: IssueOutcome, signature: Uint8Array | undefined) => void
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
      batch = waiting.splice(0, countAlike(waiting))
      touch = touching.shift()
      isTaken = true
    }
    try {
      const start = await begin()
      const result = await lendWriter(async () => {
        // Only now: whoever came until the turn came shares it.
        take()
        const issues = batch.map(({ issue }) => issue)
        const uses = [...(touch?.uses ?? [])]
        return thread.commit({ at: clock.now(), issues, uses, start }, batch[0]?.handle)
      })
      if (result.head !== undefined) {
        isBegun = true
        head = result.head
        onWritten()
      }
      touch?.isWritten.resolve()
      let signed = 0
      for (const [place, { issue, resolve }] of batch.entries()) {
        const outcome = result.outcomes[place] ?? 'outdated'
        if (outcome !== 'written' || issue.jwtInput === undefined) resolve(outcome, undefined)
        else resolve(outcome, result.signatures.subarray(signed, (signed += SIGNATURE_BYTES)))
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

  function enqueue(entry: Waiting): void {
    waiting.push(entry)
    writing ??= writeAll()
  }

  async function write(issue: Issue): Promise<IssueOutcome> {
    return new Promise((resolve, reject) => {
      enqueue({ issue: toSent(issue, undefined), handle: undefined, resolve, reject })
    })
  }

  return {
    head: () => head,
    write,
    async sign(issue, { input, signer }) {
      const { handle } = signer
      // What takes long is not signed by the thread that writes, but by several at once.
      if (handle === undefined) {
        const outcome = await write(issue)
        return outcome === 'written' ? signer.sign(input) : outcome
      }
      return new Promise((resolve, reject) => {
        enqueue({
          issue: toSent(issue, input),
          handle,
          resolve: (outcome, signature) =>
            resolve(outcome === 'written' ? toSigned(signature) : outcome),
          reject,
        })
      })
    },
    async touch(uses) {
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

/** How many may go together: a batch is signed with one key. */
function countAlike(waiting: readonly Waiting[]): number {
  const other = waiting.findIndex(({ handle }) => handle?.key !== waiting[0]?.handle?.key)
  return Math.min(other === -1 ? waiting.length : other, MAX_BATCH)
}

function toSigned(signature: Uint8Array | undefined): Uint8Array {
  if (signature !== undefined) return signature
  throw new TypeError('the thread of the issue log did not sign what it wrote')
}

function toSent({ basis, event, node }: Issue, jwtInput: string | undefined): SentIssue {
  if (node === undefined) return { event, basis, node, jwtInput }
  return {
    event,
    basis,
    node: {
      columns: Object.values(toGrantRow(node)),
      grantIds: node.grantPath,
      agentIds: [node.subjectId, ...node.actors],
    },
    jwtInput,
  }
}
