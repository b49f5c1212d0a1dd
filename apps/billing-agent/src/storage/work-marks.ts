// What a work of a transaction leaves to know in this process, once it is committed: accounts that are there now, and
// that there are events of quotas to be heard. What is undone leaves nothing.
import type { KnownAccounts } from './ledger-store.ts'

/** Accounts that are remembered: a forgotten one costs a statement. */
const MAX_ACCOUNTS = 10_000

/** The marks of one work. A work that runs again, after a deadlock, marks the same again. */
export type WorkMarks = {
  readonly accounts: KnownAccounts
  readonly announce: () => void
  /** Called once the work is on disk. */
  readonly commit: () => void
}

export type CommitMarks = {
  begin(): WorkMarks
  /** Calls back when a work has committed an event, until the function that it returns is called. */
  onQuotaEvent(listener: () => void): () => void
}

/** Creates the marks of one storage. */
export function createCommitMarks(): CommitMarks {
  const known = new Set<string>()
  const listeners = new Set<() => void>()
  return {
    begin() {
      const opened: string[] = []
      let hasAnnounced = false
      return {
        accounts: {
          has: (account, currency) => known.has(toKey(account, currency)),
          open: (account, currency) => opened.push(toKey(account, currency)),
        },
        announce() {
          hasAnnounced = true
        },
        commit() {
          if (known.size + opened.length > MAX_ACCOUNTS) known.clear()
          for (const account of opened) known.add(account)
          if (hasAnnounced) for (const listener of listeners) listener()
        },
      }
    },
    onQuotaEvent(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

const toKey = (account: string, currency: string): string => `${currency} ${account}`
