// Group commit: works that arrive while a commit is under way share the next one. What makes a commit
// durable costs the same for one as for a hundred.
import { sql, type Kysely, type Transaction } from 'kysely'
import { setImmediate } from 'node:timers/promises'

/** Runs work in a write transaction that it may share with others. */
export type Commit<Tables> = <Value>(
  work: (transaction: Transaction<Tables>) => Promise<Value>,
) => Promise<Value>

/** Most works of one transaction. */
const MAX_GROUP = 256

type Waiting<Tables> = {
  /** Runs the work, and answers how to tell its caller once the transaction is on disk. */
  readonly run: (transaction: Transaction<Tables>) => Promise<() => void>
  readonly reject: (error: unknown) => void
}

/**
 * Creates the commit of one database. Works run one after the other in the order of their coming; each
 * promise resolves once that is on disk; when a work rejects, only what it wrote is undone.
 */
export function createGroupCommit<Tables>(db: Kysely<Tables>): Commit<Tables> {
  let queue: Waiting<Tables>[] = []
  let isRunning = false

  async function runAll(): Promise<void> {
    while (queue.length > 0) {
      // A turn of the event loop: what else has arrived by then comes along.
      await setImmediate()
      const group = queue.slice(0, MAX_GROUP)
      queue = queue.slice(MAX_GROUP)
      await runGroup(db, group)
    }
    isRunning = false
  }

  return async (work) =>
    new Promise((resolve, reject) => {
      queue.push({
        run: async (transaction) => {
          const value = await work(transaction)
          return () => resolve(value)
        },
        reject,
      })
      if (isRunning) return
      isRunning = true
      void runAll()
    })
}

async function runGroup<Tables>(
  db: Kysely<Tables>,
  group: readonly Waiting<Tables>[],
): Promise<void> {
  const [only, ...others] = group
  const done: (() => void)[] = []
  try {
    await db.transaction().execute(async (transaction) => {
      if (only !== undefined && others.length === 0) {
        done.push(await only.run(transaction))
        return
      }
      for (const waiting of group) done.push(await runInSavepoint(transaction, waiting))
    })
  } catch (error) {
    // Nothing of the group is on disk.
    for (const { reject } of group) reject(error)
    return
  }
  for (const tell of done) tell()
}

async function runInSavepoint<Tables>(
  transaction: Transaction<Tables>,
  { reject, run }: Waiting<Tables>,
): Promise<() => void> {
  await sql`savepoint work`.execute(transaction)
  try {
    const tell = await run(transaction)
    await sql`release savepoint work`.execute(transaction)
    return tell
  } catch (error) {
    await sql`rollback to savepoint work`.execute(transaction)
    await sql`release savepoint work`.execute(transaction)
    return () => reject(error)
  }
}
