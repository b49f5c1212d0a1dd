// Sends what is to be written to the thread of the issue log. It does not wait for one batch before it sends the
// next: the thread would stand still until the event loop came to its answer, and the callers of the first batch
// would be answered no sooner. What the thread finds waiting, it commits together.
import type { Clock, EpochSeconds } from '@deputy/auth/protocol'
import type { Database } from '@deputy/storage'
import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers'
import type { ChainHead } from '../audit/chain.ts'
import { createStartEvent } from '../audit/trail-entries.ts'
import { SIGNATURE_BYTES } from '../keys/sign-now.ts'
import type { SigningHandle } from '../keys/signer.ts'
import type { IssueOutcome } from '../tokens/issue-log.ts'
import { findUnnamedHeads } from './audit-heads.ts'
import type { CommittedBatch, IssueBatch, SentIssue } from './issue-batch.ts'
import type { IssueThread } from './issue-thread.ts'
import type { Tables } from './tables.ts'

export type IssueSenderOptions = {
  readonly db: Database<Tables>['db']
  readonly lendWriter: NonNullable<Database<Tables>['lendWriter']>
  readonly thread: Pick<IssueThread, 'commit'>
  readonly clock: Clock
  /** Told after each commit with entries. */
  readonly onWritten: () => void
}

/** An issue that waits for the thread, and who waits for it. */
export type WaitingIssue = {
  readonly issue: SentIssue
  readonly handle: SigningHandle | undefined
  /** With the signature, where the thread was to sign and the outcome is `written`. */
  readonly resolve: (outcome: IssueOutcome, signature: Uint8Array | undefined) => void
  readonly reject: (error: unknown) => void
}

export type IssueSender = {
  send(issue: WaitingIssue): void
  /** Writes when secrets were last used. */
  touch(uses: ReadonlyMap<string, EpochSeconds>): Promise<void>
  /** The newest entry that is known to be on disk. */
  head(): ChainHead | undefined
  /** Resolves when nothing waits, and nothing is under way. */
  whenIdle(): Promise<void>
}

/** As many that wait are sent at once. Fewer wait for all that the event loop finds ready in this turn. */
const FULL_BATCH = 16

/** Issues under way, at most: bounds for how long whoever else wants to write waits. */
const MAX_UNDER_WAY = 256

type Touch = PromiseWithResolvers<void> & { readonly uses: ReadonlyMap<string, EpochSeconds> }

type Batch = { readonly issues: readonly WaitingIssue[]; readonly touches: readonly Touch[] }

/** Creates the sender. */
export function createIssueSender(options: IssueSenderOptions): IssueSender {
  const { clock, db, lendWriter, onWritten, thread } = options
  const waiting: WaitingIssue[] = []
  const touching: Touch[] = []
  /** What the thread refused: it goes before all that waits. */
  const refused: Batch[] = []
  const underWay = { batches: 0, issues: 0 }
  let working: Promise<void> | undefined
  /** Whether what waits has waited for its turn of the event loop. */
  let isDue = false
  let isPlanned = false
  let change = Promise.withResolvers<void>()
  let head: ChainHead | undefined
  /** Whether the thread has a chain to go on with. A chain whose commit failed is never continued. */
  let isBegun = false

  const isAnyWaiting = (): boolean => waiting.length + touching.length > 0

  function plan(): void {
    if (waiting.length >= FULL_BATCH) wake()
    else if (!isPlanned) {
      isPlanned = true
      setImmediate(() => {
        isPlanned = false
        wake()
      })
    }
  }

  function wake(): void {
    isDue = isAnyWaiting()
    if (isDue) working ??= work()
    change.resolve()
  }

  async function work(): Promise<void> {
    while (isDue) {
      try {
        await takeTurn(await begin())
      } catch (error) {
        // Where no chain can be begun, nobody who waits can have one.
        reject({ issues: waiting.splice(0), touches: touching.splice(0) }, error)
      }
      for (const { issues, touches } of refused.splice(0).toReversed()) {
        waiting.unshift(...issues)
        touching.unshift(...touches)
      }
      isDue &&= isAnyWaiting()
    }
    working = undefined
  }

  async function begin(): Promise<IssueBatch['start']> {
    if (isBegun) return undefined
    const writerId = randomBytes(12).toString('base64url')
    return { writerId, event: createStartEvent(writerId, await findUnnamedHeads(db)) }
  }

  /** Sends what is due until nothing is under way, or somebody else wants the turn. */
  async function takeTurn(start: IssueBatch['start']): Promise<void> {
    await lendWriter(async (turn) => {
      // Now: whoever came until the turn came goes as well.
      sendWaiting(start)
      while (underWay.batches > 0) {
        await change.promise
        change = Promise.withResolvers()
        if (isDue && isBegun && !turn.isWanted()) sendWaiting(undefined)
      }
    })
  }

  function sendWaiting(start: IssueBatch['start']): void {
    for (let first = start; isAnyWaiting() && underWay.issues < MAX_UNDER_WAY; first = undefined) {
      void send(take(), first)
    }
    isDue = isAnyWaiting()
  }

  function take(): Batch {
    const count = Math.min(countAlike(waiting), MAX_UNDER_WAY - underWay.issues)
    return { issues: waiting.splice(0, count), touches: touching.splice(0, 1) }
  }

  /** Never rejects: whoever waits is told. */
  async function send(batch: Batch, start: IssueBatch['start']): Promise<void> {
    const { handle } = batch.issues[0] ?? {}
    const issues = batch.issues.map(({ issue }) => issue)
    const uses = batch.touches.flatMap((touch) => [...touch.uses])
    underWay.batches += 1
    underWay.issues += issues.length
    isBegun = true
    try {
      const result = await thread.commit({ at: clock.now(), issues, uses, start }, handle)
      if (result === 'refused') takeBack(batch)
      else tell(batch, result)
    } catch (error) {
      isBegun = false
      reject(batch, error)
    }
    underWay.batches -= 1
    underWay.issues -= issues.length
    change.resolve()
  }

  function takeBack(batch: Batch): void {
    isBegun = false
    isDue = true
    refused.push(batch)
  }

  function tell({ issues, touches }: Batch, result: CommittedBatch): void {
    if (result.head !== undefined) {
      head = result.head
      onWritten()
    }
    for (const { resolve } of touches) resolve()
    let signed = 0
    for (const [place, { issue, resolve }] of issues.entries()) {
      const outcome = result.outcomes[place] ?? 'outdated'
      if (outcome !== 'written' || issue.jwtInput === undefined) resolve(outcome, undefined)
      else resolve(outcome, result.signatures.subarray(signed, (signed += SIGNATURE_BYTES)))
    }
  }

  return {
    head: () => head,
    send(issue) {
      waiting.push(issue)
      plan()
    },
    async touch(uses) {
      const touch = { ...Promise.withResolvers<void>(), uses }
      touching.push(touch)
      plan()
      return touch.promise
    },
    async whenIdle() {
      wake()
      await working
    },
  }
}

/** How many of the first may go together: a batch is signed with one key. */
function countAlike(waiting: readonly WaitingIssue[]): number {
  const other = waiting.findIndex(({ handle }) => handle?.key !== waiting[0]?.handle?.key)
  return other === -1 ? waiting.length : other
}

function reject({ issues, touches }: Batch, error: unknown): void {
  for (const waiting of [...issues, ...touches]) waiting.reject(error)
}
