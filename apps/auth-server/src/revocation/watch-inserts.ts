import type { RevocationStore } from './revocation-store.ts'

/** Notices what a store is given for the feed. */
export function watchInserts(
  store: RevocationStore,
  onInsert: () => Promise<void>,
): RevocationStore {
  return {
    ...store,
    async insert(denial, revokedAt) {
      const isNew = await store.insert(denial, revokedAt)
      if (isNew) await onInsert()
      return isNew
    },
    async insertChange(change, changedAt) {
      await store.insertChange(change, changedAt)
      await onInsert()
    },
  }
}
