// What a work of a transaction leaves to know in this process, once it is committed: accounts that are there now, and
// what is measured of it, and that there are events of quotas to be heard. What is undone leaves nothing.
import { recordPosting, recordQuotaEvent, type PostingFact } from '../metrics/billing-metrics.ts'
import type { KnownAccounts } from './ledger-store.ts'

/** Accounts that are remembered: a forgotten one costs a statement. */
const MAX_ACCOUNTS = 10_000

/** The marks of one work. A work that runs again, after a deadlock, marks the same again. */
export type WorkMarks = {
  readonly accounts: KnownAccounts
  /** A quota came to so many percent. */
  readonly announce: (threshold: number) => void
  readonly post: (posting: PostingFact) => void
  /** Called once the work is on disk. */
  readonly commit: () => void
}

export type CommitMarks = {
  begin(): WorkMarks
  /** Calls back when a work has committed an event, until the function that it returns is called. */
  onQuotaEvent(listener: () => void): () => void
}

/** Marks of a work that nobody looks at. */
export const NO_MARKS: WorkMarks = {
  accounts: { has: () => false, open: () => undefined },
  announce: () => undefined,
  post: () => undefined,
  commit: () => undefined,
}

/** Creates the marks of one storage. */
export function createCommitMarks(): CommitMarks {
  const known = new Set<string>()
  const listeners = new Set<() => void>()
  return {
    begin() {
      const opened: string[] = []
      const announced: number[] = []
      const posted: PostingFact[] = []
      return {
        accounts: {
          has: (account, currency) => known.has(toKey(account, currency)),
          open: (account, currency) => opened.push(toKey(account, currency)),
        },
        announce: (threshold) => announced.push(threshold),
        post: (posting) => posted.push(posting),
        commit() {
          if (known.size + opened.length > MAX_ACCOUNTS) known.clear()
          for (const account of opened) known.add(account)
          for (const posting of posted) recordPosting(posting)
          for (const threshold of announced) recordQuotaEvent(threshold)
          if (announced.length > 0) for (const listener of listeners) listener()
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
