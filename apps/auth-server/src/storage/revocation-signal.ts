import type { Database } from '@deputy/storage'
import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'

/** Tells when something was revoked: what the feed waits for. */
export type RevocationSignal = {
  /**
   * Calls back after each commit with revocations, of this server or of another one on the database,
   * until the function that it returns is called. Now and then there is nothing new.
   */
  onRevoked(listener: () => void): () => void
}

const CHANNEL = 'deputy_revocation'

/** Creates the signal, and what the storage does with it. */
export function createRevocationSignal(announcements: Database<Tables>['announcements']) {
  const listeners = new Set<() => void>()
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  let stop: (() => void) | undefined

  return {
    onRevoked(listener: () => void) {
      stop ??= announcements.listen(CHANNEL, tell)
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        stop?.()
        stop = undefined
      }
    },
    /** Within the transaction that revokes. */
    announce: async (transaction: Kysely<Tables>) => announcements.announce(transaction, CHANNEL),
    /** After it. */
    tell,
  }
}
