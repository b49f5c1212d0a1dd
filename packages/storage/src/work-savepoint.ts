import { CompiledQuery, PostgresAdapter, type Transaction } from 'kysely'

const SAVEPOINT = CompiledQuery.raw('savepoint work')
const RELEASE = CompiledQuery.raw('release savepoint work')
const ROLLBACK_TO = CompiledQuery.raw('rollback to savepoint work')
/** In one way to the server and back, where there is a way. */
const RELEASE_AND_SAVEPOINT = CompiledQuery.raw('release savepoint work; savepoint work')

/** What keeps one work of a shared transaction apart from the next. */
export type WorkSavepoint = {
  /** Starts a work, unless the savepoint is open still. */
  open(): Promise<void>
  /** Keeps what the work wrote. Throws when the work swallowed a failure that ended it. */
  release(isNextWaiting: boolean): Promise<void>
  /** Undoes what the work wrote. Throws its error when that cannot be: the transaction is over. */
  undo(error: unknown): Promise<void>
}

/** Creates the savepoint of one transaction, for one work after the other. */
export function createWorkSavepoint<Tables>(transaction: Transaction<Tables>): WorkSavepoint {
  const isRemote = transaction.getExecutor().adapter instanceof PostgresAdapter
  let isOpen = false

  return {
    async open() {
      if (!isOpen) await transaction.executeQuery(SAVEPOINT)
      isOpen = true
    },
    async release(isNextWaiting) {
      isOpen = isRemote && isNextWaiting
      await transaction.executeQuery(isOpen ? RELEASE_AND_SAVEPOINT : RELEASE)
    },
    async undo(error) {
      try {
        await transaction.executeQuery(ROLLBACK_TO)
      } catch {
        throw error
      }
      isOpen = true
    },
  }
}
