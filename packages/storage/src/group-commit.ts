// Putting a commit on disk takes as long for one row as for hundreds, so whoever comes while one is
// under way shares the next one. That is what lets a server answer only once everything is on disk,
// thousands of times a second.
import type { Kysely, Transaction } from 'kysely'
import { setImmediate } from 'node:timers/promises'
import { isDeadlock } from './postgres/postgres-unavailability.ts'
import { createWorkSavepoint } from './work-savepoint.ts'

/** Works in one transaction: bounds how long the first one waits for the last. */
const MAX_WORKS = 256

/**
 * Runs the work in a write transaction and resolves to what it returned, once that is on disk. Works run
 * one after the other, in the order of the calls. When one rejects, only what it wrote is undone, and
 * this rejects as it did; when the commit itself fails, all that shared it reject.
 *
 * The work does nothing but read and write by its transaction, waits for every query, and never for
 * another `commit`, which would wait for it. On PostgreSQL it may run a second time, by itself, after
 * the database ended a deadlock at its cost: what it changes outside of the database must allow that.
 */
export type Commit<Tables> = <Value>(
  work: (transaction: Transaction<Tables>) => Promise<Value>,
) => Promise<Value>

export type GroupCommit<Tables> = {
  readonly commit: Commit<Tables>
  /** Refuses new works and waits for those that were accepted. */
  close(): Promise<void>
}

type Work<Tables> = {
  /** Resolves to what tells the caller, once the commit is through. */
  run(transaction: Transaction<Tables>): Promise<() => void>
  reject(error: unknown): void
  /** Whether a deadlock ended it, so that it now runs by itself. */
  isRetry: boolean
}

/** Creates the group commit of one database. */
export function createGroupCommit<Tables>(db: Kysely<Tables>): GroupCommit<Tables> {
  const queue: Work<Tables>[] = []
  let running: Promise<void> | undefined
  let isClosed = false

  async function commitAll(): Promise<void> {
    while (queue.length > 0) {
      // All callers that the event loop finds ready come first: SQLite lets nobody in between.
      await setImmediate()
      await commitGroup(db, queue)
    }
    running = undefined
  }

  return {
    async commit(work) {
      if (isClosed) throw new Error('the database is closed')
      return new Promise((resolve, reject) => {
        queue.push({
          async run(transaction) {
            const value = await work(transaction)
            return () => {
              resolve(value)
            }
          },
          reject,
          isRetry: false,
        })
        running ??= commitAll()
      })
    },
    async close() {
      isClosed = true
      await running
    },
  }
}

/** Takes works from the queue, also those that come meanwhile, and commits them. Never rejects. */
async function commitGroup<Tables>(db: Kysely<Tables>, queue: Work<Tables>[]): Promise<void> {
  /** Those whose outcome the commit decides, and what then tells them. */
  const open: Work<Tables>[] = []
  const tells: (() => void)[] = []
  let taken = 0
  const isNextWaiting = (): boolean => taken < MAX_WORKS && queue[0]?.isRetry === false
  try {
    await db.transaction().execute(async (transaction) => {
      const savepoint = createWorkSavepoint(transaction)
      for (let work = queue.shift(); work !== undefined;) {
        taken += 1
        open.push(work)
        if (taken === 1 && (work.isRetry || queue.length === 0)) {
          // By itself it needs no savepoint: what it wrote is undone with the transaction.
          tells.push(await work.run(transaction))
          if (work.isRetry) return
        } else {
          await savepoint.open()
          try {
            const tell = await work.run(transaction)
            await savepoint.release(isNextWaiting())
            tells.push(tell)
          } catch (error) {
            await savepoint.undo(error)
            open.pop()
            rejectOrRetry(work, error, queue)
          }
        }
        work = isNextWaiting() ? queue.shift() : undefined
      }
    })
  } catch (error) {
    const [only] = open
    if (only !== undefined && taken === 1) rejectOrRetry(only, error, queue)
    // Where not even a transaction could begin, nobody who waits can have one.
    else for (const work of taken > 0 ? open : queue.splice(0)) work.reject(error)
    return
  }
  for (const tell of tells) tell()
}

/** The victim of a deadlock did nothing wrong; by itself it holds no lock that another waits for. */
function rejectOrRetry<Tables>(work: Work<Tables>, error: unknown, queue: Work<Tables>[]): void {
  if (isDeadlock(error) && !work.isRetry) queue.unshift({ ...work, isRetry: true })
  else work.reject(error)
}
